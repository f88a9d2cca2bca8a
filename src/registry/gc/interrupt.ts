/** Stops a collection at its next safe place, whether it waits now and then or never. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Awaitable } from './volume.ts';

/** A safe place: throws {@link Interrupted} to stop the work there, and may make it wait. */
export type Checkpoint = () => Awaitable<void>;

export class Interrupted extends Error {
  constructor() {
    super('garbage collection was interrupted; what it has removed stays removed, and the next run finds the rest');
    this.name = 'Interrupted';
  }
}

/** For a thread that never waits: a flag in memory that two threads share. */
export interface Interrupt {
  readonly flag: SharedArrayBuffer;
  raise: () => void;
}

export function createInterrupt(): Interrupt {
  const flag = new SharedArrayBuffer(4);
  return { flag, raise: () => void Atomics.store(new Int32Array(flag), 0, 1) };
}

/** Throws {@link Interrupted} once the flag is raised. */
export function checkpointOf(flag: SharedArrayBuffer): () => void {
  const view = new Int32Array(flag);
  return () => {
    if (Atomics.load(view, 0) !== 0) throw new Interrupted();
  };
}

/** Throws {@link Interrupted} once `signal` has aborted. */
export function interruptedBy(signal: AbortSignal): () => void {
  return () => {
    if (signal.aborted) throw new Interrupted();
  };
}

/** Milliseconds after which Ctrl-C is heard at the latest; a turn costs microseconds. */
const turnEvery = 50;

/** For blocking work in the only thread: like {@link interruptedBy}, and lets the event loop turn, so that signals are heard at all. */
export function takingTurns(signal: AbortSignal): Checkpoint {
  const check = interruptedBy(signal);
  let last = performance.now();
  const turned = async (): Promise<void> => {
    await turn();
    last = performance.now();
    check();
  };
  return () => {
    check();
    return performance.now() - last < turnEvery ? undefined : turned();
  };
}
