import type { Agent } from 'node:http';
import type { TlsOptions } from './agents.ts';

/** How to reach an API server right now. */
export interface Access {
  /** `https://10.96.0.1:443`, without a slash at the end. */
  server: string;
  /** Authorization, impersonation. */
  headers: Record<string, string>;
  tls: TlsOptions;
  /** Connections by way of a proxy. */
  agent?: Agent;
}

/** Where the address of the cluster and our identity in it come from. */
export interface Credentials {
  /** The namespace that these credentials stand in. */
  readonly namespace: string;
  /** What is to be used now; cheap, since asked before every request. */
  access(): Promise<Access>;
  /** The server did not take what {@link access} gave: forget all that is remembered. */
  refresh(): void;
}
