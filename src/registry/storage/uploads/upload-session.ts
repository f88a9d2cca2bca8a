import { randomUUID } from 'node:crypto';
import { digestAlgorithm, type Digest, type DigestAlgorithm } from '#registry/oci/digest.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import { blobData, layerLink, link, uploadData, uploadDirectory, uploadElsewhere } from '#registry/storage/layout.ts';
import { createRunningHash, hashFile } from '#registry/storage/running-hash.ts';
import type { BlobDescriptor, ByteSource, Upload } from '#registry/storage/store.ts';
import type { UploadContext } from './upload-context.ts';
import { copyAndHash } from './upload-copy.ts';
import { createUploadHash, uploadTarget, type UploadHash } from './upload-hash.ts';
import { pump } from './upload-pump.ts';

export interface UploadIdentity {
  repository: string;
  id: string;
  startedAt: Date;
  /** What its client will most likely name in the end. */
  algorithm: DigestAlgorithm;
  /** It was begun by this process. */
  isOurs: boolean;
}

/**
 * One upload, as this process knows it. The file is the truth about its size. The running hash is right only while it
 * covers exactly the file: after a restart, or when another replica appended, commit() reads the file instead.
 *
 * A replica that a client has left may still have bytes of it to write. A file that another process may have open is
 * therefore never committed, but a copy of it. Whoever did not begin an upload says so beside the file before he opens it, and
 * whoever did looks for that after the file has been moved, when nobody can open it as an upload any more.
 */
export class UploadSession implements Upload {
  readonly id: string;
  readonly startedAt: Date;
  readonly #repository: string;
  readonly #context: UploadContext;
  readonly #isOurs: boolean;
  readonly #data: string;
  readonly #elsewhere: string;
  readonly #ended: () => void;
  #hash: UploadHash | undefined;
  #size = 0;
  #state: 'idle' | 'appending' | 'committing' | 'gone' = 'idle';

  /** `ended` is called once it is committed or cancelled. */
  constructor(context: UploadContext, identity: UploadIdentity, ended: () => void) {
    this.id = identity.id;
    this.startedAt = identity.startedAt;
    this.#repository = identity.repository;
    this.#context = context;
    this.#isOurs = identity.isOurs;
    this.#data = uploadData(identity.repository, identity.id);
    this.#elsewhere = uploadElsewhere(identity.repository, identity.id);
    this.#hash = createUploadHash(identity.algorithm, context.writerThreads);
    this.#ended = ended;
  }

  get size(): number {
    return this.#size;
  }

  get busy(): boolean {
    return this.#state === 'appending' || this.#state === 'committing';
  }

  /** Takes over what the file has become since the last look; nothing while this process itself writes it. */
  async refresh(): Promise<void> {
    const info = await this.#context.driver.stat(this.#data);
    if (!this.busy) this.#resize(info?.size ?? 0);
  }

  append(source: ByteSource): Promise<number> {
    return this.#exclusively('appending', async () => {
      if (!this.#isOurs) await this.#context.driver.append(this.#elsewhere).then((file) => file.close());
      const writer = await this.#context.driver.append(this.#data);
      const disk = { lost: false };
      const see = (chunk: Uint8Array) => this.#see(chunk);
      try {
        this.#resize(writer.size);
        const target = uploadTarget(writer, this.#hash);
        await pump(source, { target, memory: this.#context.uploadMemory, see, lost: () => (disk.lost = true) });
      } catch (error) {
        this.#refuseWhenGone();
        if (disk.lost || isVolumeFull(error)) await this.#remove();
        throw error;
      } finally {
        await writer.close();
        this.#resize(writer.size);
      }
      // Another replica may have ended it meanwhile, without what came last.
      if (!(await this.#context.driver.stat(this.#data))) this.end();
      this.#refuseWhenGone();
      return this.#size;
    });
  }

  commit(expected: Digest): Promise<BlobDescriptor> {
    const committed = this.#exclusively('committing', async () => {
      const file = await this.#prepare(expected);
      const blob = { digest: expected, size: this.#size };
      await this.#orGiveUp(() => this.#context.locks.run(expected, () => this.#moveIntoPlace(blob, file)));
      await this.#remove();
      return blob;
    });
    return this.#context.track(committed);
  }

  async cancel(): Promise<void> {
    this.#refuseWhenGone();
    if (this.#state === 'committing') throw this.#busyError();
    await this.#context.track(this.#remove());
  }

  #see(chunk: Uint8Array): void {
    this.#refuseWhenGone();
    this.#size += chunk.byteLength;
  }

  /** A hash that does not cover exactly the file is of no use any more, whatever comes later. */
  #resize(size: number): void {
    this.#size = size;
    if (!this.#hash?.covers(size)) this.forget();
  }

  /** What is kept of it in another thread. */
  forget(): void {
    this.#hash?.forget();
    this.#hash = undefined;
  }

  async #refuseUnless(expected: Digest, received: Digest | undefined): Promise<void> {
    if (!received) throw unknownUpload(this.id);
    if (received === expected) return;
    await this.#remove();
    const detail = { digest: expected, received, size: this.#size };
    throw new RegistryError('DIGEST_INVALID', { detail });
  }

  /** Of the file, which is read when no hash of this algorithm went along with it, or the thread that had it has ended. */
  async #digest(algorithm: DigestAlgorithm): Promise<Digest | undefined> {
    const running = this.#hash?.algorithm === algorithm ? this.#hash : undefined;
    const digest = await running?.digest().catch(() => undefined);
    if (digest) return digest;
    const empty = this.#size === 0 ? createRunningHash(algorithm) : undefined;
    return (empty ?? (await hashFile(this.#context.driver, this.#data, algorithm)))?.digest();
  }

  /** The file as it is now counts, whoever has written to it. Gives the path of what is to be committed. */
  async #prepare(expected: Digest): Promise<string> {
    const info = await this.#context.driver.stat(this.#data);
    this.#resize(info?.size ?? 0);
    if (this.#size > 0 && (await this.#mayBeOpenElsewhere())) {
      return this.#orGiveUp(() => this.#copy(this.#data, expected));
    }
    await this.#refuseUnless(expected, await this.#digest(digestAlgorithm(expected)));
    return this.#data;
  }

  async #mayBeOpenElsewhere(): Promise<boolean> {
    return !this.#isOurs || (await this.#context.driver.stat(this.#elsewhere)) !== undefined;
  }

  /** Bytes that come late are appended, so that the beginning stays as it is. */
  async #copy(from: string, expected: Digest): Promise<string> {
    const to = `${uploadDirectory(this.#repository, this.id)}/copy.${randomUUID()}`;
    const received = await copyAndHash(this.#context.driver, { from, to, bytes: this.#size, expected });
    await this.#refuseUnless(expected, received);
    return to;
  }

  /**
   * What is verified and then can't be committed is removed, and the client begins again: after a sync that failed the
   * kernel may call data clean that never reached the disk, so that another try would succeed without it.
   */
  async #orGiveUp<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (isMissing(error)) {
        // Whoever has committed it may still need what lies beside it.
        this.end();
        throw unknownUpload(this.id);
      }
      // The first error is the one to tell; what can't be removed either, the purger will.
      await this.#remove().catch(() => {});
      throw error;
    }
  }

  /**
   * Replaces data that is there already: the new bytes have just been verified, the old ones may be what a crash of
   * another registry left. The link comes last, so that it never points to nothing. Of nothing there need be no file.
   */
  async #moveIntoPlace({ digest, size }: BlobDescriptor, from: string): Promise<void> {
    const { driver } = this.#context;
    const path = blobData(digest);
    await driver.publish([
      [size === 0 ? { path, content: Buffer.alloc(0) } : { path, from }],
      [link(layerLink(this.#repository, digest), digest)],
    ]);
    if (size > 0 && from === this.#data && (await this.#mayBeOpenElsewhere())) {
      await driver.publish([[{ path, from: await this.#copy(path, digest) }]]);
    }
    this.#context.notify((observer) => observer.blobCommitted?.(this.#repository, { digest, size }));
  }

  /** It is committed or cancelled, here or by another process; what runs of it fails. */
  end(): void {
    this.#state = 'gone';
    this.forget();
    this.#ended();
  }

  async #remove(): Promise<void> {
    this.end();
    await this.#context.driver.delete(uploadDirectory(this.#repository, this.id), { lazily: true });
  }

  async #exclusively<T>(state: 'appending' | 'committing', action: () => Promise<T>): Promise<T> {
    this.#refuseWhenGone();
    if (this.busy) throw this.#busyError();
    this.#state = state;
    try {
      return await action();
    } finally {
      if (this.busy) this.#state = 'idle';
    }
  }

  #refuseWhenGone(): void {
    if (this.#state === 'gone') throw unknownUpload(this.id);
  }

  #busyError(): RegistryError {
    const message = 'another request is writing to this upload; ask for its status and continue from there';
    return new RegistryError('BLOB_UPLOAD_INVALID', { status: 409, message, detail: { uuid: this.id } });
  }
}

const unknownUploadCode = 'BLOB_UPLOAD_UNKNOWN';

function unknownUpload(id: string): RegistryError {
  return new RegistryError(unknownUploadCode, { detail: { uuid: id } });
}

/** Another replica has committed or cancelled it meanwhile. */
function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === unknownUploadCode;
}

/** What was received is given up then: it would fill the volume until the purger comes. */
function isVolumeFull(error: unknown): boolean {
  return error instanceof RegistryError && error.status === 507;
}
