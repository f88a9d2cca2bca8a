import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistryLogger, type LogOptions } from './logging.ts';

function lineOf(options: Partial<LogOptions>): string {
  const lines: string[] = [];
  const defaults: LogOptions = { level: 'info', formatter: 'text', fields: {} };
  const logger = createRegistryLogger({ ...defaults, ...options }, { write: (line) => void lines.push(line) });
  logger.debug('not shown');
  logger.info({ size: 7, path: '/a b', nothing: null }, 'it says "hello"');
  assert.equal(lines.length, 1);
  return lines[0] ?? '';
}

test('text, as logrus writes it', () => {
  const expected =
    /^time="[\d-]+T[\d:.]+Z" level=info msg="it says \\"hello\\"" zone=a size=7 path="\/a b" nothing=null\n$/;
  assert.match(lineOf({ fields: { zone: 'a' } }), expected);
});

test('json, with the level by its name', () => {
  const { time, ...rest } = JSON.parse(lineOf({ formatter: 'json', fields: { zone: 'a' } })) as Record<string, unknown>;
  assert.match(String(time), /^[\d-]+T[\d:.]+Z$/);
  assert.deepEqual(rest, { level: 'info', zone: 'a', size: 7, path: '/a b', nothing: null, msg: 'it says "hello"' });
});

test('the fields of logstash', () => {
  const line = JSON.parse(lineOf({ formatter: 'logstash' })) as Record<string, unknown>;
  assert.equal(line['@version'], '1');
  assert.match(String(line['@timestamp']), /Z$/);
  assert.equal(line['message'], 'it says "hello"');
  assert.equal(line['level'], 'info');
});
