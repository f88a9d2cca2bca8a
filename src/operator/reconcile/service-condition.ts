import { type Facts, no, type Verdict, yes } from './facts.ts';
import { childVerdict } from './refusal.ts';

/** ServiceReady: whether the registry has its address and ports. */
export function serviceReady(facts: Facts): Verdict {
  const { registry, outcomes, service, nodePortOwner } = facts;
  const { nodePort, type } = registry.spec.service;
  const refused = outcomes.service?.state === 'refused' ? outcomes.service.error : undefined;
  if (refused?.status.details?.causes?.some(({ field }) => field?.endsWith('nodePort'))) {
    const who = nodePortOwner
      ? `The node port ${nodePort} belongs to Service ${nodePortOwner}`
      : `Node port ${nodePort} cannot be had`;
    return no(
      'NodePortTaken',
      `${who} (${refused.status.message}): set spec.service.nodePort to another one, or leave it out.`,
    );
  }
  const problem =
    childVerdict('Service', outcomes.service, registry) ?? childVerdict('Service', outcomes.metricsService, registry);
  if (problem) return problem;
  if (!service?.spec.clusterIP) return no('WaitingForAddress', 'The Service has no address yet.');
  const port = service.spec.ports?.find(({ name }) => name === 'registry');
  const outside = type === 'ClusterIP' ? '' : `, and on port ${port?.nodePort} of every node`;
  return yes('Reachable', `The Service listens at ${service.spec.clusterIP}:${port?.port}${outside}.`);
}

/** True for the failure that {@link serviceReady} asks the owner of the port for. */
export function isNodePortRefused({ outcomes }: Pick<Facts, 'outcomes'>): boolean {
  const { service } = outcomes;
  if (service?.state !== 'refused') return false;
  return service.error.status.details?.causes?.some(({ field }) => field?.endsWith('nodePort')) ?? false;
}
