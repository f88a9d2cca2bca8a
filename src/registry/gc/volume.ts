/**
 * What garbage collection needs of a place, in the two ways that it runs. In a thread of its own, or as a command, it
 * reads synchronously: a mark is tens of thousands of tiny reads, and a promise for each would cost several times the
 * reads themselves. Through the driver of another kind of storage it waits. Both run the same steps, written once as
 * generators (see {@link settle}).
 */
export type Awaitable<T> = T | Promise<T>;

/** Paths are the driver's (`/docker/registry/v2/...`). A missing thing is `undefined` or `false`. */
export interface Volume {
  /** Names in a directory, in no order; `undefined` when there is none. A file has none. */
  list(path: string): Awaitable<string[] | undefined>;
  read(path: string): Awaitable<Uint8Array | undefined>;
  stat(path: string): Awaitable<FileState | undefined>;
  /** One file. */
  unlink(path: string): Awaitable<boolean>;
  /** Atomic; for a directory, too. `false` when `from` is missing. */
  move(from: string, to: string): Awaitable<boolean>;
  /** A directory with all that is in it. */
  removeTree(path: string): Awaitable<boolean>;
  /** A directory, only if it is empty. Does nothing where there are no directories. */
  removeEmpty(path: string): Awaitable<boolean>;
}

export interface FileState {
  /** Bytes. */
  size: number;
  /** Milliseconds since 1970. */
  modifiedMs: number;
}

/** A computation that waits only where a volume makes it wait. */
export type Task<T> = Generator<Promise<unknown>, T, unknown>;

/** `yield* settle(volume.read(path))`: the value at once when it is there already. */
export function* settle<T>(value: Awaitable<T>): Task<T> {
  return value instanceof Promise ? ((yield value) as T) : value;
}

/** Runs a task on a synchronous volume. */
export function runNow<T>(task: Task<T>): T {
  const step = task.next();
  if (!step.done) throw new Error('a synchronous volume returned a promise');
  return step.value;
}

/** Runs a task on any volume. */
export async function run<T>(task: Task<T>): Promise<T> {
  let step = task.next();
  while (!step.done) {
    let value: unknown;
    try {
      value = await step.value;
    } catch (error) {
      step = task.throw(error);
      continue;
    }
    step = task.next(value);
  }
  return step.value;
}
