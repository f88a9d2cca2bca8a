/** What the agent tells people about each host: the state, and in words what is wrong and what to do. Pure. */
import { join } from 'node:path';
import type { MirrorReport } from '#shared/node-mirrors.ts';
import type { Outcome } from './certs-execute.ts';
import type { Obstacle } from './certs-plan.ts';
import { hostsFile } from './certs-scan.ts';

/** The hosts that could not be reached, with the cause. */
export type Unreachable = ReadonlyMap<string, string>;

/** Only what concerns hosts: nothing to say of what was removed, or of leftovers. Sorted by host. */
export function reportHosts(root: string, outcomes: Outcome[], unreachable: Unreachable): MirrorReport[] {
  return outcomes
    .flatMap((outcome) => reportOne(root, outcome, unreachable) ?? [])
    .map((report) => (report.message === undefined ? report : { ...report, message: cut(report.message) }))
    .toSorted((a, b) => (a.host < b.host ? -1 : 1));
}

/** The longest message that the schema of NodeMirror takes. */
const maxMessage = 1024;

/** The longest column that the schema takes. */
const maxColumn = 256;

export function cut(message: string): string {
  return message.length <= maxMessage ? message : `${message.slice(0, maxMessage - 1)}…`;
}

/** The columns of `kubectl get nodemirrors`, within the limits of the schema. */
export function reportColumns(hosts: MirrorReport[]): { configured: string; problems: string } {
  const bad = hosts.filter(({ state }) => state !== 'Configured');
  const problems = bad.map(({ host, state }) => `${host} ${state}`).join(', ');
  return {
    configured: `${hosts.length - bad.length}/${hosts.length}`,
    problems: problems.length <= maxColumn ? problems : `${problems.slice(0, maxColumn - 1)}…`,
  };
}

function reportOne(root: string, { action, error }: Outcome, unreachable: Unreachable): MirrorReport | undefined {
  switch (action.kind) {
    case 'clean':
      return undefined;
    case 'remove': {
      if (!error) return undefined;
      const message = `${join(root, action.directory, hostsFile)} could not be removed: ${describe(error)}`;
      return { host: action.directory, registry: action.registry, state: 'Failed', message };
    }
    case 'abandon': {
      const message =
        `${join(root, action.directory, hostsFile)} was edited by somebody and is no longer wanted; ` +
        'it was left alone: remove it by hand';
      return { host: action.directory, registry: action.registry, state: 'Conflict', message };
    }
    case 'refuse': {
      const { host, registry } = action.wanted;
      return { host, registry, ...describeObstacle(root, host, action.obstacle) };
    }
    case 'create':
    case 'write':
    case 'keep': {
      const { host, registry, endpoint } = action.wanted;
      const path = join(root, action.directory, hostsFile);
      if (error) {
        return { host, registry, state: 'Failed', message: `${path} could not be written: ${describe(error)}` };
      }
      return { host, registry, endpoint, ...describeWritten(root, action.shadow, unreachable.get(host)) };
    }
  }
}

type Verdict = Pick<MirrorReport, 'state' | 'message'>;

function describeWritten(root: string, shadow: string | undefined, cause: string | undefined): Verdict {
  if (shadow !== undefined) {
    const message = `containerd prefers ${join(root, shadow)}, which is not ours: remove that directory`;
    return { state: 'Ineffective', message };
  }
  return cause === undefined ? { state: 'Configured' } : { state: 'Unreachable', message: cause };
}

function describeObstacle(root: string, host: string, obstacle: Obstacle): Verdict {
  switch (obstacle.kind) {
    case 'bad-name':
      return { state: 'Failed', message: `${JSON.stringify(host)} is not a host name with an optional port` };
    case 'unreadable': {
      const message = `${join(root, obstacle.path)} could not be read: ${describe(obstacle.error)}`;
      return { state: 'Failed', message };
    }
    case 'foreign': {
      const path = join(root, obstacle.path);
      const message = `${path} is ${obstacle.what} of somebody else and was left alone: remove it, or the host from spec.hosts`;
      return { state: 'Conflict', message };
    }
  }
}

const causes: Record<string, string> = {
  EROFS: 'the file system is read-only; mount it writable',
  EACCES: 'permission denied; the agent has to run as root',
  EPERM: 'not permitted; is the file immutable (lsattr)?',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  ENOENT: 'it is not there',
};

/** The cause of a system error with what helps against it. */
export function describe(error: NodeJS.ErrnoException): string {
  const cause = causes[error.code ?? ''];
  return cause === undefined ? error.message : `${cause} (${error.code})`;
}
