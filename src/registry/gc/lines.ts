/**
 * The lines of `registry garbage-collect`, word for word as distribution 3 prints them, since scripts read them.
 * Source: distribution registry/storage/garbagecollect.go.
 */
import type { MarkObserver, Plan } from './plan.ts';

/** A mark that tells `print` each repository, manifest and blob. */
export function markLines(print: (line: string) => void): MarkObserver {
  return {
    repository: (name) => print(name),
    manifestMarked: (repository, digest) => print(`${repository}: marking manifest ${digest} `),
    blobMarked: (repository, digest) => print(`${repository}: marking blob ${digest}`),
  };
}

/** What will go, or would. */
export function* planLines(plan: Plan): Generator<string> {
  const manifests = plan.repositories.flatMap(({ name, deadManifests }) =>
    deadManifests.map(({ digest, formerTags }) => `{${name} ${digest} [${formerTags.join(' ')}]}`),
  );
  for (const manifest of manifests) yield `manifest eligible for deletion: ${manifest}`;
  yield '';
  yield `${plan.marked} blobs marked, ${plan.blobs.length} blobs and ${manifests.length} manifests eligible for deletion`;
  for (const { digest } of plan.blobs) yield `blob eligible for deletion: ${digest}`;
  for (const { name, deadLayers } of plan.repositories) {
    for (const { digest } of deadLayers) yield `${name}: layer link eligible for deletion: ${digest}`;
  }
  for (const { name, deadTags, dead } of plan.repositories) {
    for (const tag of deadTags) yield `${name}: tag eligible for deletion: ${tag.name}`;
    if (dead) yield `${name}: empty repository eligible for deletion`;
  }
}
