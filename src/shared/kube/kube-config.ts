import type { RequestOptions } from 'node:https';
import type { Cluster, KubeConfig } from '@kubernetes/client-node';
import { type Clock, systemClock } from '#shared/clock.ts';
import type { Access, Credentials } from './credentials.ts';
import { remembered } from './remembered.ts';

export interface KubeConfigOptions {
  /** One file; by default what kubectl would take: KUBECONFIG, then ~/.kube/config. */
  file?: string;
  /** The current one by default. */
  context?: string;
  clock?: Clock;
}

/** Credential plugins and files are asked again after this long; the plugins themselves know when they expire. */
const rereadMs = 10_000;

/**
 * The credentials of a kubeconfig, with all that one may hold (client certificates, tokens, exec plugins, OIDC, proxies),
 * by client-node. Rejects when there is none, or not that context. The file is read again when the server refused what it gave: a kind cluster that was made anew under
 * the same name is found.
 */
export async function kubeConfigCredentials(options: KubeConfigOptions = {}): Promise<Credentials> {
  const clock = options.clock ?? systemClock;
  const { KubeConfig } = await import('@kubernetes/client-node');
  const load = (): KubeConfig => {
    const config = new KubeConfig();
    if (options.file === undefined) config.loadFromDefault();
    else config.loadFromFile(options.file);
    if (options.context !== undefined) config.setCurrentContext(options.context);
    clusterOf(config);
    // client-node takes plain HTTP (`kubectl proxy`) only from a cluster that says so.
    config.clusters = config.clusters.map((c) => (c.server.startsWith('http:') ? { ...c, skipTLSVerify: true } : c));
    return config;
  };
  let config: KubeConfig | undefined = load();
  const access = remembered(clock, rereadMs, async () => accessOf((config ??= load())));
  return {
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    access: () => access.get(),
    refresh() {
      config = undefined;
      access.forget();
    },
  };
}

async function accessOf(config: KubeConfig): Promise<Access> {
  const cluster = clusterOf(config);
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized, headers, auth, agent } = options;
  const access: Access = { server: cluster.server.replace(/\/+$/, ''), headers: {}, tls: {} };
  Object.assign(access.tls, defined({ ca, cert, key, servername, rejectUnauthorized }));
  Object.assign(access.headers, defined({ ...(headers as Record<string, string>) }));
  if (auth) access.headers['authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
  if (cluster.proxyUrl && agent) access.agent = agent as NonNullable<Access['agent']>;
  return access;
}

function clusterOf(config: KubeConfig): Cluster {
  const cluster = config.getCurrentCluster();
  // What client-node makes up when it finds no kubeconfig at all.
  if (cluster?.server === 'http://localhost:8080') {
    throw new Error('no kubeconfig found: set KUBECONFIG, or make ~/.kube/config (kind create cluster does)');
  }
  if (!cluster) throw new Error(`the kubeconfig has no context "${config.getCurrentContext()}", or no cluster for it`);
  return cluster;
}

function defined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
