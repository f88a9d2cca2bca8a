/**
 * What the agent does, apart from how it reaches the cluster: two loops, one for the files of the node and one for the
 * report, so that an API server that is silent keeps nothing from being repaired.
 */
import { backoffMs } from '#shared/backoff.ts';
import { systemClock } from '#shared/clock.ts';
import type { Cache } from '#shared/kube/cache.ts';
import type { KubeClient } from '#shared/kube/kube-client.ts';
import type { Logger } from '#shared/logger.ts';
import type { NodeMirrorStatus } from '#shared/node-mirrors.ts';
import { createChooser } from './chooser.ts';
import { createFolderWatch } from './folder-watch.ts';
import { createLoop } from './loop.ts';
import { type ConfigMap, createMirrorsSource } from './mirrors-source.ts';
import { createNodeReport } from './node-report.ts';
import { createPace } from './pace.ts';
import { createProbe } from './probe.ts';
import { cut, reportColumns } from './report.ts';
import { createRounds } from './round.ts';
import type { AgentSettings } from './settings.ts';

export interface AgentDependencies {
  settings: Omit<AgentSettings, 'logLevel' | 'healthAddress'>;
  /** Holds the mirrors ConfigMap. */
  cache: Cache<ConfigMap> & { readonly synced: boolean };
  client: KubeClient;
  log: Logger;
}

/** Each answers with what is wrong, or `undefined`. */
interface Health {
  live: () => string | undefined;
  ready: () => string | undefined;
}

export interface Agent {
  /** Resolves when `signal` aborts. Files stay as they are: pulls go on while an agent is replaced. */
  run(signal: AbortSignal): Promise<void>;
  health: Health;
}

/** Milliseconds that a probe may take: a registry in the same cluster answers in a few. */
const probeTimeoutMs = 1000;

/** Milliseconds until an address that has just stopped answering is asked once more. */
const doubtMs = 1000;

/** Milliseconds between two rounds that changes of files ask for, so that two who quarrel about a file don't spin. */
const repairIntervalMs = 1000;

const reportRetry = { baseMs: 1000, maxMs: 30_000 };

export function createAgent({ settings, cache, client, log }: AgentDependencies): Agent {
  const { namespace, mirrorsConfigMap, certsDirectory, syncPeriodMs } = settings;
  const readDesired = createMirrorsSource(cache, { namespace, name: mirrorsConfigMap });
  const probe = createProbe({ timeoutMs: probeTimeoutMs });
  const choose = createChooser({ probe, clock: systemClock, doubtMs });
  const rounds = createRounds({ certsDirectory, nodeIP: settings.nodeIP, choose, log });
  const pace = createPace(syncPeriodMs);
  let status: NodeMirrorStatus | undefined;

  const files = createLoop(async (signal) => {
    const { last, published, problem } = readDesired();
    if (problem !== undefined) log.warn({ problem }, 'the mirrors cannot be read; this node stays as it is');
    const hosts = last ? await rounds.run(last.mirrors.mirrors, signal) : [];
    folders.watchDirectories(hosts.map(({ host }) => host));
    const revision = last?.revision ?? '';
    const message = problem === undefined ? {} : { message: cut(problem) };
    const next = { revision, hosts, ...reportColumns(hosts), ...message };
    const changed = JSON.stringify(next) !== JSON.stringify(status);
    status = published ? next : undefined;
    if (published && changed) reports.wake(0);
    return pace(hosts, last?.revision);
  });

  const folders = createFolderWatch(
    certsDirectory,
    () => files.wake(Math.max(50, repairIntervalMs - files.silentMs)),
    log,
  );

  const report = createNodeReport(client, settings.nodeName);
  let failures = 0;
  const reports = createLoop(async (signal) => {
    try {
      if (status) await report.write(status, signal);
      failures = 0;
      return syncPeriodMs;
    } catch (error) {
      failures++;
      if (!signal.aborted) log.warn({ err: error }, 'this node could not report');
      return backoffMs(reportRetry, failures, Math.random);
    }
  });

  return {
    async run(signal) {
      const unsubscribe = cache.onChange(() => files.wake(0));
      try {
        await Promise.all([files.run(signal), reports.run(signal)]);
      } finally {
        unsubscribe();
        folders.close();
      }
    },
    health: {
      live: () => (files.silentMs > 2 * syncPeriodMs + 30_000 ? 'certs.d was not looked at for too long' : undefined),
      ready: () => (cache.synced ? undefined : 'the API server has not answered yet'),
    },
  };
}
