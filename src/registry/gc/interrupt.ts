/** Stops a thread that never waits: a flag in memory that two threads share. */
export interface Interrupt {
  readonly flag: SharedArrayBuffer;
  raise: () => void;
}

export class Interrupted extends Error {
  constructor() {
    super('garbage collection was interrupted; what it has removed stays removed, and the next run finds the rest');
    this.name = 'Interrupted';
  }
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
