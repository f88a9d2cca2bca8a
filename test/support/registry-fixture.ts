import { apiVersion } from '#operator/api/names.ts';
import type { Registry, RegistrySpec } from '#operator/api/registry.ts';
import { registrySpec } from '#operator/api/registry-spec.ts';
import type { JsonSchema } from '#operator/api/schema.ts';

/** A Registry as the API server would store it: the defaults of the schema filled in. */
export function registryOf(spec: object = {}, metadata: Partial<Registry['metadata']> = {}): Registry {
  const storage = { persistentVolumeClaim: {} };
  return {
    apiVersion,
    kind: 'Registry',
    metadata: { name: 'kind-registry', namespace: 'default', uid: 'u-1', generation: 1, ...metadata },
    spec: complete(registrySpec.json, { storage, ...spec }) as RegistrySpec,
  };
}

/** Source: apiextensions' structural defaulting. */
function complete(schema: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value))
    return schema.items ? value.map((item) => complete(schema.items as JsonSchema, item)) : value;
  if (typeof value !== 'object' || value === null || !schema.properties) return value;
  const result: Record<string, unknown> = { ...value };
  for (const [name, field] of Object.entries(schema.properties)) {
    const given = result[name] ?? structuredClone(field.default);
    if (given !== undefined) result[name] = complete(field, given);
  }
  return result;
}
