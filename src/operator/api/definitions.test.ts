import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toConditions } from './conditions.ts';
import { registrySpec } from './registry-spec.ts';
import { registryStatus } from './registry-status.ts';
import type { JsonSchema } from './schema.ts';

function* walk(schema: JsonSchema, path: string): Generator<[string, JsonSchema]> {
  yield [path, schema];
  for (const [name, field] of Object.entries(schema.properties ?? {})) yield* walk(field, `${path}.${name}`);
  if (schema.items) yield* walk(schema.items, `${path}[]`);
  if (schema.additionalProperties) yield* walk(schema.additionalProperties, `${path}{}`);
}

const fields = [...walk(registrySpec.json, 'spec'), ...walk(registryStatus.json, 'status')];

test('every field is described, in a sentence', () => {
  for (const [path, { description }] of fields) assert.match(description ?? '', /^[A-Z\w].*\.$/, path);
});

test('everything that can grow has a limit', () => {
  for (const [path, schema] of fields) {
    if (schema.type === 'string' && !schema.enum) assert.ok(schema.maxLength, path);
    if (schema.type === 'array') assert.ok(schema.maxItems && schema['x-kubernetes-list-type'], path);
    if (schema.additionalProperties) assert.ok(schema.maxProperties, path);
  }
});

test('every rule says what to change, in place of the rule itself', () => {
  const rules = fields.flatMap(([, schema]) => schema['x-kubernetes-validations'] ?? []);
  assert.ok(rules.length > 10);
  for (const { message } of rules) assert.ok(message.length > 20 && !message.includes('self.'), message);
});

test('a condition keeps its time for as long as its status', () => {
  const finding = { type: 'Ready', status: 'False', reason: 'Starting', message: 'It starts.' } as const;
  const first = toConditions([finding], undefined, 1, new Date('2026-01-01T00:00:00.123Z'));
  assert.deepEqual(first, [{ ...finding, observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z' }]);
  const later = new Date('2026-01-01T00:01:00Z');
  assert.equal(
    toConditions([{ ...finding, reason: 'X' }], first, 2, later)[0]?.lastTransitionTime,
    '2026-01-01T00:00:00Z',
  );
  assert.equal(
    toConditions([{ ...finding, status: 'True' }], first, 2, later)[0]?.lastTransitionTime,
    '2026-01-01T00:01:00Z',
  );
});
