/** Pushes and deletions on a condition: a client says what it wants to replace or remove, and loses against whoever was faster (RFC 9110 13.1). */
import type { Digest } from '#registry/oci/digest.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import type { Reference } from '#registry/oci/reference.ts';
import type { RepositoryStore } from '#registry/storage/store.ts';
import type { Precondition } from '#registry/http/conditions.ts';

/**
 * Throws before anything is stored. It is about the tags of the push, or, without any, about the manifest itself, which
 * nobody can change: so only tags are looked at once more, when they are set.
 */
export async function expectCurrent(
  { tags: store, manifests }: RepositoryStore,
  { reference, tags }: { reference: Reference; tags: string[] },
  condition: Precondition,
): Promise<void> {
  for (const tag of tags) {
    const current = await store.resolve(tag);
    if (!condition(current)) throw conditionFailed({ tag, current });
  }
  if (tags.length > 0 || reference.kind === 'tag') return;
  const current = (await manifests.get(reference.digest))?.digest;
  if (!condition(current)) throw conditionFailed({ current });
}

/** `false` when there is nothing to remove: that is no matter of the condition (RFC 9110 13.2.1). */
export async function removeReference(
  { tags, manifests }: RepositoryStore,
  reference: Reference,
  condition: Precondition | undefined,
): Promise<boolean> {
  if (reference.kind === 'tag') {
    if (await tags.delete(reference.tag, condition)) return true;
    const current = condition && (await tags.resolve(reference.tag));
    if (current) throw conditionFailed({ tag: reference.tag, current });
    return false;
  }
  const current = condition && (await manifests.get(reference.digest))?.digest;
  if (current && !condition(current)) throw conditionFailed({ current });
  return manifests.delete(reference.digest);
}

export function conditionFailed({ tag, current }: { tag?: string; current: Digest | undefined }): RegistryError {
  const what = tag === undefined ? 'the manifest' : `the tag ${tag}`;
  const state = current === undefined ? 'does not exist' : tag === undefined ? 'exists' : `points to ${current}`;
  return new RegistryError('DENIED', {
    status: 412,
    message: `${what} ${state}: the condition of the request is not met`,
    detail: { ...(tag === undefined ? {} : { tag }), current: current ?? null },
  });
}
