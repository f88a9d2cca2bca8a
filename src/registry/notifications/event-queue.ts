/** Lines in the order in which they came, until each has been acknowledged. One process reads and writes a queue. */
export interface EventQueue {
  /** Resolves when the line will survive the end of the process, and with `synced` a loss of power as well. */
  append(line: string, options?: AppendOptions): Promise<void>;
  /** The oldest line that is not acknowledged; waits for one. `undefined` once `signal` is aborted. */
  next(signal: AbortSignal): Promise<QueuedLine | undefined>;
  /** Lines that wait. */
  readonly pending: number;
  close(): Promise<void>;
}

export interface AppendOptions {
  synced?: boolean;
}

export interface QueuedLine {
  line: string;
  /** It need not come back any more; until this is on disk, it may. */
  acknowledge(): void;
}

/** Told of lines that were given up because the queue had reached its size. */
export type OnDrop = (lines: number) => void;
