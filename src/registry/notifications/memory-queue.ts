import type { EventQueue, OnDrop } from './event-queue.ts';
import { createWaiter } from './waiter.ts';

export interface MemoryQueueOptions {
  /** Characters; beyond, the oldest lines are dropped. */
  maxBytes: number;
  onDrop: OnDrop;
}

/** For storage without a folder: gone with the process, as everything in distribution's queue is. */
export function createMemoryQueue({ maxBytes, onDrop }: MemoryQueueOptions): EventQueue {
  const lines: string[] = [];
  const waiter = createWaiter();
  let bytes = 0;

  function remove(line: string): boolean {
    if (lines[0] !== line) return false;
    lines.shift();
    bytes -= line.length;
    return true;
  }

  return {
    async append(line) {
      lines.push(line);
      bytes += line.length;
      while (bytes > maxBytes && lines.length > 1) if (remove(lines[0] ?? '')) onDrop(1);
      waiter.wake();
    },
    async next(signal) {
      while (lines.length === 0 && !signal.aborted) await waiter.wait(signal);
      const [line] = lines;
      if (signal.aborted || line === undefined) return undefined;
      return { line, acknowledge: () => void remove(line) };
    },
    get pending() {
      return lines.length;
    },
    close: async () => undefined,
  };
}
