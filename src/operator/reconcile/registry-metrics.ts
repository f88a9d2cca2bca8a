import { Gauge, type Registry as MetricsRegistry } from 'prom-client';
import type { Registry } from '#operator/api/registry.ts';
import type { Cache } from '#shared/kube/cache.ts';

/** The conditions of all Registries, for alerts; read at each scrape, so that a Registry that is gone is gone here too. */
export function observeRegistries(metrics: MetricsRegistry, registries: Cache<Registry>): void {
  const gauge: Gauge = new Gauge({
    name: 'registry_operator_registry_condition',
    help: '1 while a condition of a Registry is True, 0 while it is False; absent while it is Unknown.',
    labelNames: ['namespace', 'registry', 'type'],
    registers: [metrics],
    collect() {
      gauge.reset();
      for (const { metadata, status } of registries.list()) {
        for (const { type, status: value } of status?.conditions ?? []) {
          const labels = { namespace: metadata.namespace ?? '', registry: metadata.name, type };
          if (value !== 'Unknown') gauge.set(labels, value === 'True' ? 1 : 0);
        }
      }
    },
  });
}
