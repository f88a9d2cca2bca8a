/**
 * What has to be done so that certs.d says what the operator published: pure, from what is there and what should be.
 * Executed and planned again, nothing is left to do.
 */
import type { MirrorOwner } from '#shared/node-mirrors.ts';
import type { CertsScan, Entry, FoundFile } from './certs-scan.ts';
import { hostDirectory, shadowingDirectory } from './host-directory.ts';
import { type DirectoryOrigin, renderHostsToml } from './hosts-toml.ts';

/** One host with the endpoint that was chosen for this node. */
export interface WantedHost {
  host: string;
  registry: MirrorOwner;
  endpoint: string;
}

/** Why a host is not as wanted although nothing failed. */
export type Obstacle =
  | { kind: 'bad-name' }
  /** `path` below certs.d. */
  | { kind: 'foreign'; path: string; what: string }
  | { kind: 'unreadable'; path: string; error: NodeJS.ErrnoException };

export type Action =
  /** `shadow`: the directory that containerd prefers to this one. */
  | { kind: 'create' | 'write' | 'keep'; directory: string; text: string; wanted: WantedHost; shadow?: string }
  | { kind: 'refuse'; wanted: WantedHost; obstacle: Obstacle }
  | { kind: 'remove'; directory: string; registry: MirrorOwner; origin: DirectoryOrigin }
  /** A file of ours that nobody wants any more, but that somebody edited: it is theirs now. */
  | { kind: 'abandon'; directory: string; registry: MirrorOwner }
  | { kind: 'clean'; path: string };

/** `created`: directories known to be of our making although no file in them says so any more. */
export function planCerts(scan: CertsScan, wanted: WantedHost[], created: ReadonlySet<string> = new Set()): Action[] {
  const names = new Set(wanted.map(({ host }) => host));
  return [
    ...scan.leftovers.map((path): Action => ({ kind: 'clean', path })),
    ...[...scan.entries].filter(([name]) => !names.has(name)).flatMap(([name, entry]) => dropUnwanted(name, entry)),
    ...wanted.map((host) => planHost(scan, host, created)),
  ];
}

function dropUnwanted(directory: string, entry: Entry): Action[] {
  if (entry.kind !== 'directory' || entry.file.kind !== 'ours') return [];
  const { marker, intact } = entry.file;
  if (!intact) return [{ kind: 'abandon', directory, registry: marker.registry }];
  return [{ kind: 'remove', directory, registry: marker.registry, origin: marker.directory }];
}

function planHost(scan: CertsScan, wanted: WantedHost, created: ReadonlySet<string>): Action {
  const directory = hostDirectory(wanted.host);
  if (directory === undefined) return { kind: 'refuse', wanted, obstacle: { kind: 'bad-name' } };
  const entry = scan.entries.get(directory);
  const obstacle = entry && obstacleIn(directory, entry);
  if (obstacle) return { kind: 'refuse', wanted, obstacle };
  const file = entry?.kind === 'directory' ? entry.file : undefined;
  const text = renderHostsToml({ ...wanted, directory: originOf(directory, file, created) });
  const shadow = shadowingDirectory(wanted.host);
  const shadowed = shadow !== undefined && scan.entries.has(shadow) ? { shadow } : {};
  return { kind: kindOf(file, text), directory, text, wanted, ...shadowed };
}

function kindOf(file: FoundFile | undefined, text: string): 'create' | 'write' | 'keep' {
  if (!file) return 'create';
  return file.kind === 'ours' && file.text === text ? 'keep' : 'write';
}

function originOf(directory: string, file: FoundFile | undefined, created: ReadonlySet<string>): DirectoryOrigin {
  if (!file) return 'created';
  if (file.kind === 'ours') return file.marker.directory;
  return created.has(directory) ? 'created' : 'found';
}

function obstacleIn(directory: string, entry: Entry): Obstacle | undefined {
  if (entry.kind === 'other') return { kind: 'foreign', path: directory, what: entry.what };
  const { file } = entry;
  const path = `${directory}/hosts.toml`;
  if (file.kind === 'foreign') return { kind: 'foreign', path, what: file.what };
  if (file.kind === 'unreadable') return { kind: 'unreadable', path, error: file.error };
  return undefined;
}
