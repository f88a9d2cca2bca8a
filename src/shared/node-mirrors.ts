/**
 * The agreement between the operator and the mirror agents: what one ConfigMap says, and what each node answers.
 * The operator writes `mirrors.json` into the ConfigMap; each agent renders it into certs.d and reports in a NodeMirror
 * (cluster-scoped, named after its node), so that an agent needs write access to nothing else.
 */
import { createHash } from 'node:crypto';

export const mirrorsKey = 'mirrors.json';

export interface NodeMirrors {
  version: 1;
  mirrors: Mirror[];
}

/** The Registry that a host name belongs to. */
export interface MirrorOwner {
  namespace: string;
  name: string;
  uid: string;
}

/** One directory of certs.d. */
export interface Mirror {
  /** `host[:port]`, as images name it. */
  host: string;
  registry: MirrorOwner;
  /**
   * URLs by preference, such as `http://10.96.0.7:5000`; `{nodeIP}` stands for the address of the agent's node (in
   * brackets if it is IPv6). The agent writes the first one that answers, or the first one.
   */
  endpoints: string[];
}

/**
 * Conflict: the file there is not ours, so it was left alone. Unreachable: the file is written, but no endpoint answers
 * from this node. Failed: it could not be written or removed. Ineffective: written, but containerd will not use it.
 */
export type MirrorState = 'Configured' | 'Conflict' | 'Unreachable' | 'Failed' | 'Ineffective';

export interface MirrorReport {
  host: string;
  registry: MirrorOwner;
  state: MirrorState;
  /** The URL in hosts.toml. */
  endpoint?: string;
  /** What is wrong and what to do, for people. */
  message?: string;
}

/** `status` of a NodeMirror. */
export interface NodeMirrorStatus {
  /** {@link mirrorsRevision} of what was last rendered, complete: removed hosts are gone from the node too. */
  revision: string;
  hosts: MirrorReport[];
  /** `2/2`: how many of the hosts are as they should be. For `kubectl get`, whose columns can't count. */
  configured?: string;
  /** `kind-registry:5000 Conflict`: the hosts that are not, with their states, for `kubectl get` too. */
  problems?: string;
  /** Why the agent works from an older revision than the one published, such as content that it can't read. */
  message?: string;
}

export const emptyMirrors: NodeMirrors = { version: 1, mirrors: [] };

/** One text for one content: mirrors sorted by host, no white space. */
export function serializeMirrors(mirrors: NodeMirrors): string {
  const sorted = mirrors.mirrors.toSorted((a, b) => (a.host < b.host ? -1 : 1));
  return JSON.stringify({ version: 1, mirrors: sorted });
}

/** Names a content of `mirrors.json`: the first 16 hexadecimal characters of its SHA-256. */
export function mirrorsRevision(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Throws with what is wrong; an agent then keeps what it has. */
export function parseMirrors(text: string): NodeMirrors {
  const value = parseJson(text);
  if (!isRecord(value)) throw new Error(`${mirrorsKey} is not an object`);
  if (value['version'] !== 1) {
    throw new Error(`${mirrorsKey} has version ${JSON.stringify(value['version'])}, this agent knows 1`);
  }
  const list = value['mirrors'];
  if (!Array.isArray(list)) throw new Error(`${mirrorsKey} has no list of mirrors`);
  const mirrors = list.map((entry, index) => {
    if (!isMirror(entry)) throw new Error(`${mirrorsKey}: mirrors[${index}] is not {host, registry, endpoints}`);
    return entry;
  });
  const hosts = new Set(mirrors.map(({ host }) => host));
  if (hosts.size < mirrors.length) throw new Error(`${mirrorsKey} names a host twice`);
  return { version: 1, mirrors };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new Error(`${mirrorsKey} is not JSON`, { cause });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMirror(value: unknown): value is Mirror {
  if (!isRecord(value) || !isRecord(value['registry'])) return false;
  const { namespace, name, uid } = value['registry'];
  const endpoints = value['endpoints'];
  return (
    [value['host'], namespace, name, uid].every((text) => typeof text === 'string' && text !== '') &&
    Array.isArray(endpoints) &&
    endpoints.length > 0 &&
    endpoints.every((endpoint) => typeof endpoint === 'string')
  );
}
