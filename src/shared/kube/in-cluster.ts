import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { type Clock, systemClock } from '#shared/clock.ts';
import type { Access, Credentials } from './credentials.ts';
import { remembered } from './remembered.ts';

/** Where the kubelet mounts the token, the CA and the namespace of a Pod's ServiceAccount. */
const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The kubelet renews a token at 80 % of its life; client-go reads it again every minute as well. */
const rereadMs = 60_000;

export interface InClusterOptions {
  env: NodeJS.ProcessEnv;
  folder?: string;
  clock?: Clock;
}

/** True in a Pod that has a ServiceAccount. */
export function isInCluster(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env['KUBERNETES_SERVICE_HOST'] && env['KUBERNETES_SERVICE_PORT']);
}

/**
 * The ServiceAccount of this Pod. Written out here since a program in a cluster needs nothing else of client-node, and
 * loading that costs 0.4 s and 80 MiB.
 */
export async function inClusterCredentials(options: InClusterOptions): Promise<Credentials> {
  const { env, folder = serviceAccountFolder, clock = systemClock } = options;
  const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT']}`;
  const read = async (): Promise<Access> => ({
    server,
    headers: { authorization: `Bearer ${(await readFile(join(folder, 'token'), 'utf8')).trim()}` },
    tls: { ca: await readFile(join(folder, 'ca.crt'), 'utf8') },
  });
  const access = remembered(clock, rereadMs, read);
  return {
    namespace: await readNamespace(folder),
    access: () => access.get(),
    refresh: () => access.forget(),
  };
}

async function readNamespace(folder: string): Promise<string> {
  try {
    return (await readFile(join(folder, 'namespace'), 'utf8')).trim();
  } catch (cause) {
    const remedy = 'does the Pod have a ServiceAccount, and automountServiceAccountToken not false?';
    throw new Error(`no ServiceAccount in ${folder}: ${remedy}`, { cause });
  }
}
