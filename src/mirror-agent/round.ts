/**
 * One round of the agent: change in certs.d what differs, then ask the addresses (which may take seconds), change again
 * if another address is to be used, and say how it stands.
 */
import type { Logger } from '#shared/logger.ts';
import type { Mirror, MirrorReport } from '#shared/node-mirrors.ts';
import { executeCerts, type Outcome } from './certs-execute.ts';
import { planCerts } from './certs-plan.ts';
import { type CertsScan, scanCerts } from './certs-scan.ts';
import type { Chooser } from './chooser.ts';
import { nodeEndpoints } from './endpoints.ts';
import { namesEndpoint } from './hosts-toml.ts';
import { createOutcomeLog } from './outcome-log.ts';
import { describe, reportHosts } from './report.ts';

export interface RoundOptions {
  certsDirectory: string;
  nodeIP: string;
  choose: Chooser;
  log: Logger;
}

export interface Rounds {
  /** How each host stands afterwards. Never rejects. */
  run(mirrors: Mirror[], signal: AbortSignal): Promise<MirrorReport[]>;
}

export function createRounds({ certsDirectory, nodeIP, choose, log }: RoundOptions): Rounds {
  const logOutcomes = createOutcomeLog(log);
  const created = new Set<string>();

  const apply = async (mirrors: Mirror[], endpointOf: EndpointOf): Promise<Outcome[]> => {
    const scan = await scanCerts(certsDirectory);
    rememberScanned(created, scan);
    const wanted = mirrors.map((mirror) => {
      const { host, registry } = mirror;
      return { host, registry, endpoint: endpointOf(mirror, scan) };
    });
    const outcomes = await executeCerts(certsDirectory, planCerts(scan, wanted, created));
    logOutcomes(outcomes);
    rememberDone(created, outcomes);
    return outcomes;
  };

  return {
    async run(mirrors, signal) {
      const here = mirrors.map((mirror) => ({ ...mirror, endpoints: nodeEndpoints(mirror, nodeIP) }));
      try {
        const current = new Map<string, string>();
        let outcomes = await apply(here, (mirror, scan) => {
          const endpoint = currentEndpoint(mirror, scan);
          current.set(mirror.host, endpoint);
          return endpoint;
        });
        const { endpoints, unreachable } = await choose(here, current, signal);
        if (here.some(({ host }) => endpoints.get(host) !== current.get(host))) {
          outcomes = await apply(here, ({ host }) => endpoints.get(host) ?? '');
        }
        return reportHosts(certsDirectory, outcomes, unreachable);
      } catch (error) {
        const message = `${certsDirectory} could not be read: ${describe(error as NodeJS.ErrnoException)}`;
        return mirrors.map(({ host, registry }) => ({ host, registry, state: 'Failed', message }));
      }
    },
  };
}

type EndpointOf = (mirror: Mirror, scan: CertsScan) => string;

/** Before anybody was asked: what the file says, if that is a choice, so that a restart of the agent changes nothing. */
function currentEndpoint({ host, endpoints }: Mirror, scan: CertsScan): string {
  const entry = scan.entries.get(host);
  const text = entry?.kind === 'directory' && entry.file.kind === 'ours' ? entry.file.text : '';
  return endpoints.find((candidate) => namesEndpoint(text, candidate)) ?? endpoints[0] ?? '';
}

/** A directory of ours whose file somebody removed would pass for theirs, and stay for ever. */
function rememberScanned(created: Set<string>, { entries }: CertsScan): void {
  for (const [name, entry] of entries) {
    if (entry.kind === 'directory' && entry.file.kind === 'ours' && entry.file.marker.directory === 'created') {
      created.add(name);
    }
  }
  for (const name of created) {
    if (!entries.has(name)) created.delete(name);
  }
}

function rememberDone(created: Set<string>, outcomes: Outcome[]): void {
  for (const { action, error } of outcomes) {
    if (error) continue;
    if (action.kind === 'create') created.add(action.directory);
    if (action.kind === 'remove') created.delete(action.directory);
  }
}
