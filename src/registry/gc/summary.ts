/** What a collection did, for people: by repository, in total, and what needs attention. */
import type { Collection } from './collect.ts';
import type { Plan } from './plan.ts';

/** Bytes that go with what a repository loses; a blob that two repositories lose counts for both. */
export function reclaimableBytes(plan: Plan): Map<string, number> {
  const sizes = new Map(plan.blobs.map(({ digest, size }) => [digest, size]));
  const bytes = new Map<string, number>();
  for (const { name, deadLayers, deadManifests } of plan.repositories) {
    const lost = new Set([...deadLayers, ...deadManifests].map(({ digest }) => digest));
    const sum = [...lost].reduce((total, digest) => total + (sizes.get(digest) ?? 0), 0);
    if (sum > 0) bytes.set(name, sum);
  }
  return bytes;
}

export function* summaryLines({ plan, removed, steps }: Collection): Generator<string> {
  for (const { repository, subject, message } of [...plan.problems, ...(removed?.problems ?? [])]) {
    yield `problem: ${repository === undefined ? '' : `${repository}: `}${subject}: ${message}`;
  }
  const reclaimable = reclaimableBytes(plan);
  for (const { name, bytes } of plan.repositories) {
    const lost = reclaimable.get(name);
    if (lost !== undefined) yield `${name}: ${bytes} bytes stay, ${lost} bytes go`;
  }
  const bytes = plan.blobs.reduce((sum, { size }) => sum + size, 0);
  yield removed
    ? `${removed.blobs} blobs (${removed.bytes} bytes), ${removed.layers} layer links, ${removed.manifests} manifests, ` +
      `${removed.tags} tags and ${removed.repositories} repositories removed`
    : `dry run: ${plan.blobs.length} blobs (${bytes} bytes) would be removed`;
  yield steps.map(({ name, milliseconds }) => `${name} ${milliseconds} ms`).join(', ');
}
