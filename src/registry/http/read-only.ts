import { RegistryError } from '#registry/oci/errors.ts';
import type { Methods } from './exchange.ts';

/** `storage.maintenance.readonly`: whatever would change something is refused. */
export function readOnly<K extends string>(endpoints: Record<K, Methods>): Record<K, Methods> {
  return Object.fromEntries(
    Object.entries<Methods>(endpoints).map(([name, methods]) => [name, withoutWrites(methods)]),
  ) as Record<K, Methods>;
}

function withoutWrites(methods: Methods): Methods {
  const refuse = async () => {
    throw new RegistryError('UNSUPPORTED', { message: 'the registry is read-only (storage.maintenance.readonly)' });
  };
  return Object.fromEntries(
    Object.entries(methods).map(([method, handler]) => [
      method,
      method === 'GET' || method === 'HEAD' ? handler : refuse,
    ]),
  );
}
