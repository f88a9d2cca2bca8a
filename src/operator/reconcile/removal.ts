/**
 * What happens when a Registry is deleted: the nodes forget it first, while it still serves; then the tools; then its
 * children go with it (ownerReferences), and the claim as its policy says. How far it has come is read off the world, so
 * that a restart in between changes nothing, and nothing can hold it up for longer than a deadline.
 */
import { finalizer } from '#operator/api/names.ts';
import { type Registry, registryType } from '#operator/api/registry.ts';
import { claim } from '#operator/children/claim.ts';
import { type Claim, claimType } from '#operator/children/kinds.ts';
import { childHead } from '#operator/children/metadata.ts';
import { nodesHolding } from '#operator/nodes/cleanup.ts';
import { readPublication } from '#operator/nodes/publication.ts';
import type { EventRecorder } from '#operator/runtime/events.ts';
import { removeFinalizer } from '#operator/runtime/finalizers.ts';
import type { Clock } from '#shared/clock.ts';
import type { KubeClient, ObjectName } from '#shared/kube/kube-client.ts';
import { mirrorsRevision, serializeMirrors } from '#shared/node-mirrors.ts';
import { type Applier, belongsTo } from './applier.ts';
import type { Caches } from './caches.ts';
import { removeHosting } from './local-registry-hosting.ts';

export interface RemovalOptions {
  client: KubeClient;
  caches: Caches;
  applier: Applier;
  events: EventRecorder;
  clock: Clock;
  /** The ConfigMap that the nodes read. */
  publication: ObjectName;
  /** After so many milliseconds a node that does not answer is left behind, with a word about it. */
  removalDeadlineMs: number;
}

/** `undefined` when the Registry is gone; else what it waits for, and the milliseconds until it waits no longer. */
export type Removal = { waitingFor: string; againMs: number } | undefined;

export async function removeRegistry(
  options: RemovalOptions,
  registry: Registry,
  signal: AbortSignal,
): Promise<Removal> {
  const { client, events, clock, removalDeadlineMs } = options;
  const pending = pendingNodes(options, registry);
  const deadline = Date.parse(registry.metadata.deletionTimestamp ?? '') + removalDeadlineMs;
  const leftMs = deadline - clock.date().getTime();
  if (pending.length > 0 && leftMs > 0) return { waitingFor: pending.join(', '), againMs: leftMs };
  if (pending.length > 0) tellLeftovers(events, registry, pending);
  await removeHosting(options, registry, signal);
  await settleClaim(options, registry, signal);
  await removeFinalizer(client, registryType, registry, finalizer);
  return undefined;
}

/** Who has not yet confirmed that the Registry is forgotten: the operator itself, as long as it publishes it, and nodes. */
function pendingNodes({ caches, publication }: RemovalOptions, { metadata }: Registry): string[] {
  const published = readPublication(caches.publications.get(publication));
  if (!published) return nodesHolding(metadata.uid ?? '', caches.nodeMirrors.list()).map(({ node }) => `node ${node}`);
  const others = published.mirrors.filter((mirror) => mirror.registry.uid !== metadata.uid);
  if (others.length < published.mirrors.length) return ['the publication to the nodes'];
  const revision = mirrorsRevision(serializeMirrors(published));
  const reports = caches.nodeMirrors.list();
  // A node that has just been told may not have reported it: only the revision says that it has forgotten it again.
  const behind = reports.filter(({ status }) => status?.revision !== revision).map((report) => report.metadata.name);
  const holding = nodesHolding(metadata.uid ?? '', reports).map(({ node }) => node);
  return [...new Set([...behind, ...holding])].map((node) => `node ${node}`);
}

function tellLeftovers(events: EventRecorder, registry: Registry, pending: string[]): void {
  const files = (registry.spec.hosts ?? []).map((host) => `/etc/containerd/certs.d/${host}`).join(' ');
  events.record(registry, {
    type: 'Warning',
    reason: 'NodesNotCleaned',
    action: 'Delete',
    note: `${pending.join(', ')} did not confirm in time. If the node comes back without its mirror agent, remove there: ${files}`,
  });
}

/** The policy may have changed with the last breath: the owner of the claim has to be as it says now. */
async function settleClaim(
  { applier, events }: RemovalOptions,
  registry: Registry,
  signal: AbortSignal,
): Promise<void> {
  if (!registry.spec.storage.persistentVolumeClaim) return;
  const isOurs = belongsTo(registry);
  const live = await applier.find<Claim>(claimType, childHead(claimType, registry), signal);
  const wanted = live && isOurs(live) ? claim(registry, live) : undefined;
  if (!wanted) return;
  await applier.apply(claimType, wanted, signal, isOurs);
  if (registry.spec.storage.deletionPolicy === 'Delete') return;
  const { name, namespace } = wanted.metadata;
  events.record(registry, {
    type: 'Normal',
    reason: 'ClaimRetained',
    action: 'Delete',
    note: `The images are kept: a Registry of the same name uses the claim ${name} again. To remove them: kubectl delete pvc -n ${namespace} ${name}`,
  });
}
