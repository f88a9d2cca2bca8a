/**
 * The agreement between the operator and the mirror agents: what one ConfigMap says, and what each node answers.
 * The operator writes `mirrors.json` into the ConfigMap; each agent renders it into certs.d and reports in a NodeMirror
 * (cluster-scoped, named after its node), so that an agent's credentials can change nothing but its own report.
 */
import { createHash } from 'node:crypto';

export const mirrorsKey = 'mirrors.json';

export interface NodeMirrors {
  version: 1;
  mirrors: Mirror[];
}

/** One directory of certs.d. */
export interface Mirror {
  /** `host[:port]`, as images name it. */
  host: string;
  registry: { namespace: string; name: string; uid: string };
  /**
   * URLs by preference, such as `http://10.96.0.7:5000`; `{nodeIP}` stands for the address of the agent's node. The
   * agent writes the first one that answers, or the first one.
   */
  endpoints: string[];
}

/**
 * Conflict: the file there is not ours, so it was left alone. Unreachable: the file is written, but no endpoint answers
 * from this node. Failed: it could not be written. Ineffective: written, but containerd will not use it.
 */
export type MirrorState = 'Configured' | 'Conflict' | 'Unreachable' | 'Failed' | 'Ineffective';

export interface MirrorReport {
  host: string;
  registry: { namespace: string; name: string; uid: string };
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
  const value = JSON.parse(text) as NodeMirrors;
  if (value.version !== 1) throw new Error(`${mirrorsKey} has version ${String(value.version)}, this agent knows 1`);
  if (!Array.isArray(value.mirrors)) throw new Error(`${mirrorsKey} has no list of mirrors`);
  return value;
}
