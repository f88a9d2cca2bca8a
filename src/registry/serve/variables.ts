/** `/debug/vars`, in the form of Go's expvar. Source: distribution, notifications/metrics.go for `registry.notifications`. */
import type { EndpointVariables } from '#registry/notifications/notifications.ts';

/** Bytes, under the names of Go's runtime.MemStats where V8 knows the same. */
function memoryStatistics(): Record<string, number> {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  return {
    Alloc: heapUsed + external,
    Sys: rss,
    HeapAlloc: heapUsed,
    HeapSys: heapTotal,
    HeapInuse: heapUsed,
    HeapIdle: heapTotal - heapUsed,
  };
}

export function debugVariables(endpoints: EndpointVariables[]): object {
  return {
    cmdline: process.argv,
    memstats: memoryStatistics(),
    registry: { notifications: { endpoints: endpoints.length > 0 ? endpoints : null } },
  };
}
