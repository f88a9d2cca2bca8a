import { Worker } from 'node:worker_threads';
import type { Digest } from '#registry/oci/digest.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import { workerUrl } from '#shared/worker-url.ts';
import type { HashStart, WriterOrder, WriterReply } from './writer-worker.ts';

/** A thread that hashes and writes uploads. */
export interface WriterThread {
  /** Uploads that it has not been told to forget. */
  readonly uploads: number;
  open(start: HashStart): ThreadedUpload;
  /** Resolves when it has done what it was told and ended. */
  close(): Promise<void>;
}

/** One upload in a thread. Once a write has failed all of it rejects; with UNAVAILABLE when the thread has ended. */
export interface ThreadedUpload {
  /**
   * Appends to the file of the descriptor, and hashes; the buffers are taken away. Several may be under way. Rejects with the
   * error of the file operation.
   */
  write(descriptor: number, buffers: ArrayBuffer[]): Promise<void>;
  /** Of the start and all writes so far. */
  digest(): Promise<Digest>;
  /** The last call. */
  forget(): void;
}

const writerProgram = workerUrl('registry/storage/uploads/writer-worker');

/** `ended` is called when the thread is of no use any more, before anybody hears of it. */
export function startWriterThread(ended: () => void, program = writerProgram): WriterThread {
  const channel = openChannel(new Worker(program), ended);
  let numbers = 0;
  let uploads = 0;

  function open(begin: HashStart): ThreadedUpload {
    const upload = numbers++;
    let start: HashStart | undefined = begin;
    uploads++;
    return {
      async write(descriptor, buffers) {
        const order = { kind: 'write', upload, descriptor, buffers, ...(start && { start }) } as const;
        start = undefined;
        await channel.ask(order, buffers);
      },
      async digest() {
        const { hex } = await channel.ask({ kind: 'digest', upload });
        return `${begin.algorithm}:${hex}` as Digest;
      },
      forget() {
        uploads--;
        channel.send({ kind: 'forget', upload });
      },
    };
  }

  return {
    get uploads() {
      return uploads;
    },
    open,
    close: () => channel.close(),
  };
}

interface Channel {
  send(order: WriterOrder, transfer?: ArrayBuffer[]): void;
  /** Replies come in the order of the questions. */
  ask(order: WriterOrder, transfer?: ArrayBuffer[]): Promise<WriterReply>;
  close(): Promise<void>;
}

function openChannel(worker: Worker, ended: () => void): Channel {
  const waiting: PromiseWithResolvers<WriterReply>[] = [];
  let cause: unknown;
  let isOver = false;
  worker.unref();
  worker.on('message', settle);
  worker.on('error', (error) => (cause = error));
  // Not before that: an upload that is told of a failure closes its file, whose descriptor then means another one.
  worker.on('exit', () => {
    isOver = true;
    ended();
    for (const { reject } of waiting.splice(0)) reject(threadEnded(cause));
  });

  function settle(reply: WriterReply): void {
    const first = waiting.shift();
    if (waiting.length === 0) worker.unref();
    if (reply.failure) first?.reject(Object.assign(new Error(reply.failure.message), reply.failure));
    else first?.resolve(reply);
  }

  function send(order: WriterOrder, transfer: ArrayBuffer[] = []): void {
    // eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(order, transfer);
  }

  return {
    send,
    /** While something is under way the process must not end. */
    async ask(order, transfer) {
      if (isOver) throw threadEnded(cause);
      const reply = Promise.withResolvers<WriterReply>();
      if (waiting.push(reply) === 1) worker.ref();
      send(order, transfer);
      return reply.promise;
    },
    async close() {
      while (waiting.length > 0) await Promise.allSettled(waiting.map(({ promise }) => promise));
      await worker.terminate();
    },
  };
}

/** The next upload gets a new thread; this one can be resumed from what its file holds. */
function threadEnded(cause: unknown): RegistryError {
  const message = 'the thread that writes uploads ended; ask for the status of the upload and continue from there';
  return new RegistryError('UNAVAILABLE', { status: 503, message, cause });
}
