import { RegistryError } from '#registry/oci/errors.ts';
import type { Access } from './authenticator.ts';

/** A 401 whose detail lists what was asked for, as distribution's does; `null` when it was only the ping. */
export function unauthorized(challenge: string, access: Access[], cause?: unknown): RegistryError {
  return new RegistryError('UNAUTHORIZED', {
    headers: { 'WWW-Authenticate': challenge },
    detail: access.length > 0 ? access : null,
    ...(cause === undefined ? {} : { cause }),
  });
}
