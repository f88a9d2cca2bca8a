import { readdir } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Logger } from '#shared/logger.ts';
import { createCursor, readPosition, type Cursor } from './cursor.ts';
import { makeFolder } from './durable-folder.ts';
import type { AppendOptions, EventQueue, OnDrop, QueuedLine } from './event-queue.ts';
import { createSegment, readLines, recoverSegment, removeSegment, segmentId, type Segment } from './segment.ts';
import { createWaiter } from './waiter.ts';

export interface DiskQueueOptions {
  /** Made when it is missing; nothing else may be in it. */
  folder: string;
  /** Bytes on disk; beyond, the oldest segment is dropped. */
  maxBytes: number;
  /** Bytes of a segment; an eighth of `maxBytes` at most, so that what is dropped at once is little. */
  segmentBytes?: number;
  /** Whether the folder is still this process's; asked after each write. Absent: it always is. */
  isHeld?: () => Promise<boolean>;
  onDrop: OnDrop;
  logger: Logger;
}

const MiB = 2 ** 20;

/** Another process has taken the folder over, and delivers what it found in it; what this one appends now may not be found. */
export class FolderLost extends Error {
  override readonly name = 'FolderLost';

  constructor(folder: string) {
    super(`another process has taken over ${folder}`);
  }
}

/**
 * A queue that survives kill -9: lines are in the kernel's hands before append resolves, and on the disk where it was asked for.
 * What was delivered right before the end may be delivered once more: at least once.
 * Rejects with FolderLost when another process has taken the folder over. Until it knows, it does the other one no harm: it makes no
 * segment that is there, removes only what it knows to be delivered, and what it says of its place is true for both.
 */
export async function openDiskQueue(options: DiskQueueOptions): Promise<EventQueue> {
  await makeFolder(options.folder);
  const position = await readPosition(options.folder);
  const names = await readdir(options.folder);
  const segments: Segment[] = [];
  for (const id of names.flatMap((name) => segmentId(name) ?? []).toSorted((a, b) => a - b)) {
    const from = id === position.segment ? position.offset : 0;
    if (id < position.segment) await removeSegment(options.folder, id);
    else segments.push(await recoverSegment(options.folder, id, from));
  }
  return new DiskQueue(options, segments, segments[0]?.id === position.segment ? position.offset : 0, position.segment);
}

interface Waiting {
  line: string;
  synced: boolean;
  done: PromiseWithResolvers<void>;
}

class DiskQueue implements EventQueue {
  readonly #options: DiskQueueOptions;
  readonly #segmentBytes: number;
  readonly #cursor: Cursor;
  readonly #waiter = createWaiter();
  /** Oldest first; lines are read from the first and appended to the last. */
  readonly #segments: Segment[];
  /** Bytes of the first segment that are acknowledged. */
  #offset: number;
  #nextId: number;
  /** Lines of the first segment behind `#offset`, read ahead. */
  #ahead: string[] = [];
  #output: FileHandle | undefined;
  #waiting: Waiting[] = [];
  /** Of the lines that wait and of those that are being written. */
  #bytesInMemory = 0;
  #writing: Promise<void> | undefined;

  constructor(options: DiskQueueOptions, segments: Segment[], offset: number, firstId: number) {
    this.#options = options;
    this.#segmentBytes = options.segmentBytes ?? Math.min(MiB, options.maxBytes / 8);
    this.#segments = segments;
    this.#offset = offset;
    this.#nextId = (segments.at(-1)?.id ?? firstId) + 1;
    this.#cursor = createCursor(options.folder, (err) =>
      options.logger.warn({ err }, 'the place in a queue is not saved'),
    );
  }

  get pending(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.pending, 0);
  }

  /** While the disk takes nothing, changes wait with their requests; nobody waits for what need not be synced, so it is dropped. */
  append(line: string, { synced = false }: AppendOptions = {}): Promise<void> {
    if (!synced && this.#bytesInMemory >= this.#options.maxBytes) {
      this.#options.onDrop(1);
      return Promise.resolve();
    }
    this.#bytesInMemory += line.length;
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ line, synced, done });
    this.#writing ??= this.#write();
    return done.promise;
  }

  /** Everything that waits goes out in one write, and is synced at once. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        const segment = await this.#openSegment();
        const bytes = Buffer.from(batch.map(({ line }) => `${line}\n`).join(''));
        await this.#output?.appendFile(bytes);
        if (batch.some(({ synced }) => synced)) await this.#output?.datasync();
        await this.#assertHeld();
        segment.size += bytes.length;
        segment.pending += batch.length;
        for (const { done } of batch) done.resolve();
      } catch (error) {
        await this.#closeSegment();
        for (const { done } of batch) done.reject(error);
      }
      this.#bytesInMemory -= batch.reduce((sum, { line }) => sum + line.length, 0);
      this.#waiter.wake();
    }
    // In the same turn as the look above: a line that comes later starts a new write.
    this.#writing = undefined;
  }

  /** The last segment, a new one when it is full or stems from another process. */
  async #openSegment(): Promise<Segment> {
    const last = this.#segments.at(-1);
    if (last && this.#output && last.size < this.#segmentBytes) return last;
    await this.#closeSegment();
    const segment = { id: await this.#createSegment(), size: 0, pending: 0 };
    // Who takes the folder over from here on sees that the number is taken.
    await this.#assertHeld();
    await this.#makeRoom();
    this.#segments.push(segment);
    return segment;
  }

  async #createSegment(): Promise<number> {
    for (;;) {
      const id = this.#nextId++;
      this.#output = await createSegment(this.#options.folder, id);
      if (this.#output) return id;
    }
  }

  async #assertHeld(): Promise<void> {
    const { folder, isHeld } = this.#options;
    if (isHeld && !(await isHeld())) throw new FolderLost(folder);
  }

  async #closeSegment(): Promise<void> {
    const output = this.#output;
    this.#output = undefined;
    await output?.close();
  }

  async #makeRoom(): Promise<void> {
    const size = () => this.#segments.reduce((sum, segment) => sum + segment.size, 0);
    while (this.#segments.length > 0 && size() + this.#segmentBytes > this.#options.maxBytes) {
      const { pending } = this.#segments[0] as Segment;
      if (pending > 0) this.#options.onDrop(pending);
      await this.#removeFirst();
    }
  }

  async #removeFirst(): Promise<void> {
    const first = this.#segments.shift();
    this.#offset = 0;
    this.#ahead = [];
    const next = this.#segments[0]?.id ?? this.#nextId;
    this.#cursor.save({ segment: next, offset: 0 });
    if (first) await removeSegment(this.#options.folder, first.id);
  }

  async next(signal: AbortSignal): Promise<QueuedLine | undefined> {
    while (!signal.aborted) {
      const [line] = this.#ahead;
      const [segment] = this.#segments;
      if (line !== undefined && segment) return { line, acknowledge: () => this.#acknowledge(segment, line) };
      if (!(await this.#readAhead())) await this.#waiter.wait(signal);
    }
    return undefined;
  }

  /** `false` when there is nothing to read yet. */
  async #readAhead(): Promise<boolean> {
    const [segment, later] = this.#segments;
    if (!segment) return false;
    if (this.#offset >= segment.size) {
      if (later) await this.#removeFirst();
      return later !== undefined;
    }
    const lines = await readLines(this.#options.folder, segment.id, this.#offset, segment.size);
    if (lines.length === 0) await this.#giveUp(segment);
    if (this.#segments[0] === segment) this.#ahead = lines;
    return true;
  }

  /** Its file has been removed or cut: by who has taken the folder over, or by a person. The next look goes on behind it. */
  async #giveUp(segment: Segment): Promise<never> {
    await this.#assertHeld();
    const events = segment.pending;
    segment.pending = 0;
    if (this.#segments[0] === segment) this.#offset = segment.size;
    throw new Error(`${events} events are lost: segment ${segment.id} of ${this.#options.folder} was removed or cut`);
  }

  #acknowledge(segment: Segment, line: string): void {
    // Dropped meanwhile, to make room.
    if (this.#segments[0] !== segment || this.#ahead[0] !== line) return;
    this.#ahead.shift();
    segment.pending--;
    this.#offset += Buffer.byteLength(line) + 1;
    this.#cursor.save({ segment: segment.id, offset: this.#offset });
  }

  /** Of what is delivered nothing is left. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#closeSegment();
    while (this.#segments.length > 0 && this.pending === 0) await this.#removeFirst();
    await this.#cursor.flush();
  }
}
