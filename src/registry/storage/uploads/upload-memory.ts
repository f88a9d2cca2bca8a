/** The memory of all uploads together: bytes that have been received and not been written yet. */
export interface UploadMemory {
  readonly held: number;
  readonly isFull: boolean;
  take(bytes: number): void;
  give(bytes: number): void;
  /**
   * Resolves when there is room, in the order of asking. Who waits must have begun to write what he holds: then some of it
   * always comes back, and nobody waits forever.
   */
  room(): Promise<void>;
}

/** Ten large uploads at full speed hold less than a third of it; a thousand on a stalled disk would hold a gigabyte and more. */
const defaultLimit = 64 * 1024 * 1024;

/** What one waiting upload is expected to receive at once. */
const pieceBytes = 64 * 1024;

/**
 * The limit is passed by a piece for each upload at most: what has been received is known afterwards. Nothing is set aside for those who
 * wait for their clients, or a few hundred stalled ones could keep out all others.
 */
export function createUploadMemory(limit = defaultLimit): UploadMemory {
  let waiting: (() => void)[] = [];
  let held = 0;

  /** As many as there is room for, and all when there is plenty, since some of them may get nothing from their clients. */
  function wake(): void {
    if (waiting.length === 0 || held >= limit) return;
    const count = held <= limit / 2 ? waiting.length : Math.ceil((limit - held) / pieceBytes);
    const woken = waiting.slice(0, count);
    waiting = waiting.slice(count);
    for (const resolve of woken) resolve();
  }

  return {
    get held() {
      return held;
    },
    get isFull() {
      return held >= limit;
    },
    take(bytes) {
      held += bytes;
    },
    give(bytes) {
      held -= bytes;
      wake();
    },
    room: () => (held < limit ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
