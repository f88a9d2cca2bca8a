import { isIPv6 } from 'node:net';
import type { Mirror } from '#shared/node-mirrors.ts';
import type { Probe } from './probe.ts';

export interface Answer {
  /** `undefined` when none answers. */
  endpoint: string | undefined;
  /** `<endpoint>: <cause>` for each one that did not answer. */
  causes: string[];
}

/** `{nodeIP}` becomes this node's address. */
export function nodeEndpoints(mirror: Mirror, nodeIP: string): string[] {
  const address = isIPv6(nodeIP) ? `[${nodeIP}]` : nodeIP;
  return mirror.endpoints.map((endpoint) => endpoint.replaceAll('{nodeIP}', address));
}

/** Asks all at once, so that silent ones together cost the time of one; the first in the list that answers is taken. */
export async function firstAnswering(endpoints: string[], probe: Probe): Promise<Answer> {
  const results = await Promise.all(endpoints.map(async (endpoint) => ({ endpoint, cause: await probe(endpoint) })));
  return {
    endpoint: results.find(({ cause }) => cause === undefined)?.endpoint,
    causes: results.filter(({ cause }) => cause !== undefined).map(({ endpoint, cause }) => `${endpoint}: ${cause}`),
  };
}

/** Asks each address once for as long as the returned probe is used, however many hosts share it. */
export function probeOnce(probe: Probe): Probe {
  const answers = new Map<string, Promise<string | undefined>>();
  return (endpoint) => {
    const answer = answers.get(endpoint) ?? probe(endpoint);
    answers.set(endpoint, answer);
    return answer;
  };
}
