import { RegistryError } from '#registry/oci/errors.ts';

const notOurs =
  `is not writable for user ${process.getuid?.() ?? '?'}: give it to that user (chown -R), ` +
  'or run as its owner (docker run --user, fsGroup in Kubernetes)';

/**
 * What a person has to do about a volume, by error code. 507 tells a client that trying again at once is of no use;
 * anything else stays an error of ours (500, logged with its stack).
 */
const remedies: Partial<Record<string, { status: number; text: string }>> = {
  ENOSPC: { status: 507, text: 'is full: delete images and collect garbage, or grow the volume' },
  EDQUOT: { status: 507, text: 'has reached its disk quota: delete images and collect garbage, or raise the quota' },
  EROFS: { status: 503, text: 'is mounted read-only: remount it writable (a failing disk is often the cause)' },
  EACCES: { status: 503, text: notOurs },
  EPERM: { status: 503, text: notOurs },
};

/** The error of a file operation as a client should see it. */
export function explainVolumeError(error: unknown, rootDirectory: string): unknown {
  const remedy = remedies[(error as NodeJS.ErrnoException).code ?? ''];
  if (!remedy) return error;
  const message = `the storage volume at ${rootDirectory} ${remedy.text}`;
  return new RegistryError('UNAVAILABLE', { status: remedy.status, message, cause: error });
}
