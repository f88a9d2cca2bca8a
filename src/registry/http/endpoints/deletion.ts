import { RegistryError } from '#registry/oci/errors.ts';

/** `storage.delete.enabled`; cancelling an upload is no deletion. */
export function requireDeletion(enabled: boolean): void {
  if (enabled) return;
  throw new RegistryError('UNSUPPORTED', { message: 'deletion is not enabled (storage.delete.enabled)' });
}
