/** The thread of writer-thread.ts: hashes what it is given, and writes it while it is in the processor's cache, by calls that block. */
import { createHash, type Hash } from 'node:crypto';
import { readSync, writevSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { DigestAlgorithm } from '#registry/oci/digest.ts';
import { skipBytes } from '#registry/storage/drivers/skip-bytes.ts';

/** `upload` is a number that the main thread gives. All orders but `forget` are replied to, in order. */
export type WriterOrder =
  | { kind: 'write'; upload: number; start?: HashStart; descriptor: number; buffers: ArrayBuffer[] }
  | { kind: 'digest'; upload: number }
  | { kind: 'forget'; upload: number };

/** With the first write of an upload: how much of its file was written before, and has to be hashed first. */
export interface HashStart {
  algorithm: DigestAlgorithm;
  bytes: number;
}

/** Errors lose their codes on the way between threads, so the codes go by themselves. */
export interface WriterReply {
  hex?: string;
  failure?: { message: string; code: string | undefined; syscall: string | undefined };
}

const hashes = new Map<number, Hash>();
/** Why an upload is refused what follows: so that everybody hears of a full volume, whichever reply comes to be seen first. */
const failures = new Map<number, WriterReply>();

function startHash(descriptor: number, { algorithm, bytes }: HashStart): Hash {
  const hash = createHash(algorithm);
  const buffer = Buffer.allocUnsafe(Math.min(bytes, 1024 * 1024));
  for (let at = 0; at < bytes;) {
    const length = readSync(descriptor, buffer, 0, Math.min(buffer.byteLength, bytes - at), at);
    if (length === 0) throw new Error('the file of an upload is shorter than it was');
    hash.update(buffer.subarray(0, length));
    at += length;
  }
  return hash;
}

function hashOf(upload: number): Hash {
  const hash = hashes.get(upload);
  if (!hash) throw new Error(`upload ${upload} has no hash`);
  return hash;
}

/**
 * What one call writes. To larger writes the kernel gives larger pages, which is less work for it; several uploads use up those that
 * have been touched lately, and on a virtual machine the others may have to come from the host, at eight times the price (ADR 14). Throughput
 * beside that of distribution, one upload, two and four at once: 64 KiB 1.18, 1.03, 1.01; 128 KiB 1.28, 1.08, 0.86 to 1.04; 256 KiB 1.32,
 * 1.13, 0.82 to 0.99.
 */
const callBytes = { alone: 256 * 1024, together: 64 * 1024 };

function write({ upload, start, descriptor, buffers }: WriterOrder & { kind: 'write' }): WriterReply {
  if (start) hashes.set(upload, startHash(descriptor, start));
  const hash = hashOf(upload);
  const enough = hashes.size > 1 ? callBytes.together : callBytes.alone;
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  for (const [index, buffer] of buffers.entries()) {
    const piece = new Uint8Array(buffer);
    hash.update(piece);
    pieces.push(piece);
    bytes += piece.byteLength;
    if (bytes < enough && index < buffers.length - 1) continue;
    writeFully(descriptor, pieces);
    pieces = [];
    bytes = 0;
  }
  return {};
}

function writeFully(descriptor: number, pieces: Uint8Array[]): void {
  let rest = pieces;
  while (rest.length > 0) rest = skipBytes(rest, writevSync(descriptor, rest));
}

function carryOut(order: Exclude<WriterOrder, { kind: 'forget' }>): WriterReply {
  try {
    // What follows a write that failed would come to lie at the wrong place.
    const earlier = failures.get(order.upload);
    if (earlier) return earlier;
    return order.kind === 'write' ? write(order) : { hex: hashOf(order.upload).copy().digest('hex') };
  } catch (error) {
    hashes.delete(order.upload);
    const { message, code, syscall } = error as NodeJS.ErrnoException;
    const reply: WriterReply = { failure: { message, code, syscall } };
    failures.set(order.upload, reply);
    return reply;
  } finally {
    // Left to the garbage collector, they would be counted as pressure and make it run.
    if (order.kind === 'write') for (const buffer of order.buffers) buffer.transfer(0);
  }
}

function forget(upload: number): void {
  hashes.delete(upload);
  failures.delete(upload);
}

parentPort?.on('message', (order: WriterOrder) => {
  if (order.kind === 'forget') forget(order.upload);
  // eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  else parentPort?.postMessage(carryOut(order));
});
