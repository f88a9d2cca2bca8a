import { type Facts, no, stoppedReason, type Verdict, yes } from './facts.ts';

/** CatalogSynced: whether the counts in status are those of the registry now. */
export function catalogSynced({ registry, deployment, usage }: Facts): Verdict {
  if (registry.spec.replicas === 0)
    return no(stoppedReason, 'The counts are the last ones before the registry stopped.');
  const running = (deployment?.status?.readyReplicas ?? 0) > 0;
  if (usage.problem !== undefined && running) {
    const { namespace, name } = registry.metadata;
    return no(
      'CatalogUnavailable',
      `The counts may be old, the operator does not reach port debug of Service ${name}-metrics: ${usage.problem}. ` +
        `Look at NetworkPolicies in namespace ${namespace}.`,
    );
  }
  if (!usage.usage || usage.problem !== undefined) {
    return { status: 'Unknown', reason: 'WaitingForRegistry', message: 'The registry has not told what it holds yet.' };
  }
  if (!usage.usage.complete) {
    return no('WaitingForIndex', `The registry reads its storage: ${usage.usage.repositories} repositories so far.`);
  }
  return yes('Synced', 'The counts follow each push.');
}
