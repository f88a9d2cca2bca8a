/** What `health` configures. Source: distribution, health/checks. */
import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Configuration } from '#registry/config/schema.ts';
import type { HealthCheck } from '#registry/http/health.ts';
import type { RegistryStore } from '#registry/storage/store.ts';
import { listenAddress } from '#shared/settings.ts';

type Health = Configuration['health'];

export function configuredChecks(health: Health, driver: string, store: RegistryStore): HealthCheck[] {
  const { storagedriver } = health;
  const storage: HealthCheck = {
    name: `storagedriver_${driver}`,
    intervalMs: storagedriver.interval,
    threshold: storagedriver.threshold,
    run: () => store.check(),
  };
  return [
    ...(storagedriver.enabled ? [storage] : []),
    ...health.file.map(fileCheck),
    ...health.http.map(httpCheck),
    ...health.tcp.map(tcpCheck),
  ];
}

/** A file that an administrator makes to take the registry out of service. */
function fileCheck({ file, interval, threshold }: Health['file'][number]): HealthCheck {
  return {
    name: file,
    intervalMs: interval,
    threshold,
    async run() {
      const found = await stat(file).catch(() => undefined);
      if (found) throw new Error('file exists');
    },
  };
}

function httpCheck({ uri, statuscode, timeout, headers, interval, threshold }: Health['http'][number]): HealthCheck {
  return {
    name: uri,
    intervalMs: interval,
    threshold,
    async run(signal) {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(timeout || interval)]);
      const pairs = Object.entries(headers).flatMap(([name, values]) =>
        values.map((value) => [name, value] as [string, string]),
      );
      const response = await fetch(uri, { method: 'HEAD', headers: pairs, signal: limited });
      if (response.status !== statuscode)
        throw new Error(`downstream service returned unexpected status: ${response.status}`);
    },
  };
}

function tcpCheck({ addr, timeout, interval, threshold }: Health['tcp'][number]): HealthCheck {
  return {
    name: addr,
    intervalMs: interval,
    threshold,
    run: (signal) =>
      new Promise((resolve, reject) => {
        const socket = connect({ ...listenAddress(addr), signal });
        socket.setTimeout(timeout || interval, () => socket.destroy(new Error('connection timed out')));
        socket.once('error', reject).once('connect', () => {
          socket.destroy();
          resolve();
        });
      }),
  };
}
