/**
 * One round of the agent: change in certs.d what differs, then ask the addresses (which may take seconds), change again
 * if another address is to be used, and say how it stands.
 */
import type { Logger } from '#shared/logger.ts';
import type { Mirror, MirrorReport } from '#shared/node-mirrors.ts';
import { executeCerts, type Outcome } from './certs-execute.ts';
import { type Action, planCerts, type WantedHost } from './certs-plan.ts';
import { type CertsScan, scanCerts } from './certs-scan.ts';
import { firstAnswering, nodeEndpoints, probeOnce } from './endpoints.ts';
import { namesEndpoint } from './hosts-toml.ts';
import type { Probe } from './probe.ts';
import { describe, reportHosts } from './report.ts';

export interface RoundOptions {
  certsDirectory: string;
  nodeIP: string;
  probe: Probe;
  log: Logger;
}

export interface Rounds {
  /** How each host stands afterwards. Never rejects. */
  run(mirrors: Mirror[]): Promise<MirrorReport[]>;
}

export function createRounds(options: RoundOptions): Rounds {
  const { certsDirectory, nodeIP, log } = options;
  const created = new Set<string>();

  const apply = async (choose: (scan: CertsScan) => WantedHost[]): Promise<Outcome[]> => {
    const scan = await scanCerts(certsDirectory);
    rememberCreated(scan, created);
    const outcomes = await executeCerts(certsDirectory, planCerts(scan, choose(scan), created));
    for (const outcome of outcomes) {
      logOutcome(log, outcome);
      if (outcome.action.kind === 'create' && !outcome.error) created.add(outcome.action.directory);
    }
    return outcomes;
  };

  return {
    async run(mirrors) {
      const candidates = mirrors.map((mirror) => ({ ...mirror, endpoints: nodeEndpoints(mirror, nodeIP) }));
      try {
        const first = new Map<string, string>();
        let outcomes = await apply((scan) => candidates.map((mirror) => wanted(mirror, current(scan, mirror, first))));
        const { chosen, unreachable } = await choose(candidates, first, probeOnce(options.probe));
        if (candidates.some(({ host }) => chosen.get(host) !== first.get(host))) {
          outcomes = await apply(() => candidates.map((mirror) => wanted(mirror, chosen.get(mirror.host) ?? '')));
        }
        return reportHosts(certsDirectory, outcomes, unreachable);
      } catch (error) {
        const message = `${certsDirectory} could not be read: ${describe(error as NodeJS.ErrnoException)}`;
        return mirrors.map(({ host, registry }) => ({ host, registry, state: 'Failed', message }));
      }
    },
  };
}

function wanted({ host, registry }: Mirror, endpoint: string): WantedHost {
  return { host, registry, endpoint };
}

/** Before anybody was asked: what the file says, if that is a choice, so that a restart of the agent changes nothing. */
function current(scan: CertsScan, mirror: Mirror, remember: Map<string, string>): string {
  const entry = scan.entries.get(mirror.host);
  const text = entry?.kind === 'directory' && entry.file.kind === 'ours' ? entry.file.text : '';
  const endpoint = mirror.endpoints.find((candidate) => namesEndpoint(text, candidate)) ?? mirror.endpoints[0] ?? '';
  remember.set(mirror.host, endpoint);
  return endpoint;
}

interface Choice {
  chosen: Map<string, string>;
  /** By host, the causes. */
  unreachable: Map<string, string>;
}

/** The first endpoint that answers; the one that was there, when none does. */
async function choose(mirrors: Mirror[], first: Map<string, string>, probe: Probe): Promise<Choice> {
  const choice: Choice = { chosen: new Map(first), unreachable: new Map() };
  await Promise.all(
    mirrors.map(async ({ host, endpoints }) => {
      const answer = await firstAnswering(endpoints, probe);
      if (answer.endpoint === undefined) choice.unreachable.set(host, answer.causes.join('; '));
      else choice.chosen.set(host, answer.endpoint);
    }),
  );
  return choice;
}

/** A directory of ours whose file somebody removed would pass for theirs, and stay for ever. */
function rememberCreated(scan: CertsScan, created: Set<string>): void {
  for (const [name, entry] of scan.entries) {
    if (entry.kind === 'directory' && entry.file.kind === 'ours' && entry.file.marker.directory === 'created') {
      created.add(name);
    }
  }
  for (const name of created) {
    if (!scan.entries.has(name)) created.delete(name);
  }
}

const verbs: Partial<Record<Action['kind'], string>> = {
  create: 'created hosts.toml and its directory',
  write: 'wrote hosts.toml',
  remove: 'removed hosts.toml',
  clean: 'removed what a crash left',
};

function logOutcome(log: Logger, { action, error }: Outcome): void {
  const verb = verbs[action.kind];
  if (verb === undefined) return;
  const subject = action.kind === 'clean' ? { path: action.path } : { directory: directoryOf(action) };
  if (error) log.error({ ...subject, err: error }, `failed: ${verb}`);
  else log.info(subject, verb);
}

function directoryOf(action: Action): string | undefined {
  return 'directory' in action ? action.directory : undefined;
}
