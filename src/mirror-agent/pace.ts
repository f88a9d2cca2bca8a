import type { MirrorReport } from '#shared/node-mirrors.ts';

/** While all is well, an address that stops answering is found within this time. */
const steadyMs = 20_000;

/** While something is wrong, that it is right again is found within these times: soon at first, for a registry that starts. */
const firstMs = 500;
const lastMs = 10_000;
const growth = 1.5;

/** Milliseconds until the next round, by how the last one ended. */
export type Pace = (hosts: MirrorReport[], revision: string | undefined) => number;

export function createPace(syncPeriodMs: number): Pace {
  let waitMs = firstMs;
  let known: string | undefined;
  return (hosts, revision) => {
    if (revision !== known) waitMs = firstMs;
    known = revision;
    if (hosts.every(({ state }) => state === 'Configured')) {
      waitMs = firstMs;
      return hosts.length === 0 ? syncPeriodMs : Math.min(steadyMs, syncPeriodMs);
    }
    const next = Math.min(waitMs, syncPeriodMs);
    waitMs = Math.min(waitMs * growth, lastMs);
    return next;
  };
}
