import type { EndpointObserver } from './endpoint.ts';

/** Since the start, by distribution's names. */
export interface EndpointCounts {
  Events: number;
  Successes: number;
  Failures: number;
  Errors: number;
  /** By status, such as "200 OK". */
  Statuses: Record<string, number>;
}

/** Counts, and tells `observer` as well. */
export function countedEndpoint(observer?: EndpointObserver): { observer: EndpointObserver; counts: EndpointCounts } {
  const counts: EndpointCounts = { Events: 0, Successes: 0, Failures: 0, Errors: 0, Statuses: {} };
  return {
    counts,
    observer: {
      queued() {
        counts.Events++;
        observer?.queued();
      },
      answered(status, accepted) {
        counts[accepted ? 'Successes' : 'Failures']++;
        counts.Statuses[status] = (counts.Statuses[status] ?? 0) + 1;
        observer?.answered(status, accepted);
      },
      failed() {
        counts.Errors++;
        observer?.failed();
      },
    },
  };
}
