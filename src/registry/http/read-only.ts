import { RegistryError } from '#registry/oci/errors.ts';
import { allowOf } from './allow.ts';
import type { Methods } from './exchange.ts';

/** `storage.maintenance.readonly`: whatever would change something is refused. */
export function readOnly<K extends string>(endpoints: Record<K, Methods>): Record<K, Methods> {
  return Object.fromEntries(
    Object.entries<Methods>(endpoints).map(([name, methods]) => [name, withoutWrites(methods)]),
  ) as Record<K, Methods>;
}

function withoutWrites(methods: Methods): Methods {
  const isRead = (method: string) => method === 'GET' || method === 'HEAD';
  const reads: Methods = Object.fromEntries(Object.entries(methods).filter(([method]) => isRead(method)));
  const refuse = async () => {
    const message = 'the registry is read-only (storage.maintenance.readonly)';
    throw new RegistryError('UNSUPPORTED', { message, headers: { Allow: allowOf(reads) } });
  };
  const all = Object.entries(methods).map(([method, handler]) => [method, isRead(method) ? handler : refuse]);
  return Object.fromEntries(all) as Methods;
}
