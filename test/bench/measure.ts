import { registryKinds, type RegistryKind } from '#test/support/registry.ts';
import { cpuSeconds, cpuSecondsOfChildren, memory, resetPeak } from './process-table.ts';
import type { Arm, Measurement, Row } from './row.ts';

export type Measurements = Record<RegistryKind, Measurement[]>;

/**
 * Seconds that each server works before anything counts. It pays for memory that the machine has not touched yet, ours for
 * compiling as well, and both take the longer the slower the machine is.
 */
const warmUp = 3;

/** Every registry once in each round, in an order that rotates, so that what disturbs the machine disturbs all alike. */
export async function measure(row: Row, rounds: number): Promise<Measurements> {
  const arms = new Map<RegistryKind, Arm>();
  for (const kind of registryKinds) arms.set(kind, await row.arm(kind));
  for (const arm of arms.values()) await warm(arm);
  const measurements: Measurements = { ours: [], distribution: [], 'docker-registry': [] };
  for (let round = 0; round < rounds; round++) {
    const first = round % registryKinds.length;
    for (const kind of [...registryKinds.slice(first), ...registryKinds.slice(0, first)]) {
      const arm = arms.get(kind);
      const measurement = arm && (await once(arm));
      if (measurement) measurements[kind].push(measurement);
    }
  }
  return measurements;
}

/** A program that is started for each run is as cold as ever; once is for the disk. */
async function warm(arm: Arm): Promise<void> {
  const until = performance.now() + warmUp * 1000;
  do await once(arm);
  while (arm.pid && performance.now() < until);
}

async function once({ pid, prepare, run }: Arm): Promise<Measurement> {
  await prepare?.();
  if (!pid) {
    const before = await cpuSecondsOfChildren();
    const sample = await run();
    return { memory: 0, ...sample, cpu: (await cpuSecondsOfChildren()) - before };
  }
  await resetPeak(pid());
  const before = await cpuSeconds(pid());
  const sample = await run();
  const cpu = (await cpuSeconds(pid())) - before;
  return { memory: await memory(pid(), 'VmHWM'), ...sample, cpu };
}
