import { parseDigest, type Digest } from '#registry/oci/digest.ts';
import { RegistryError } from '#registry/oci/errors.ts';

/** Throws DIGEST_INVALID for what is no digest of an algorithm that this registry stores, or is missing. */
export function requiredDigest(text: string | null): Digest {
  const digest = parseDigest(text ?? '');
  if (digest) return digest;
  const message = text === null ? 'the digest parameter is missing' : 'not a sha256 or sha512 digest';
  throw new RegistryError('DIGEST_INVALID', { message, detail: { digest: text } });
}
