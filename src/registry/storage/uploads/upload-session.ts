import { digestAlgorithm, type Digest, type DigestAlgorithm } from '#registry/oci/digest.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import { blobData, layerLink, link, uploadData, uploadDirectory } from '#registry/storage/layout.ts';
import { createRunningHash, hashFile } from '#registry/storage/running-hash.ts';
import type { BlobDescriptor, ByteSource, Upload } from '#registry/storage/store.ts';
import type { UploadContext } from './upload-context.ts';
import { createUploadHash, uploadTarget, type UploadHash } from './upload-hash.ts';
import { pump } from './upload-pump.ts';

export interface UploadIdentity {
  repository: string;
  id: string;
  startedAt: Date;
  /** What its client will most likely name in the end. */
  algorithm: DigestAlgorithm;
}

/**
 * One upload, as this process knows it. The file is the truth about its size. The running hash is right only while it
 * covers exactly the file: after a restart, or when another replica appended, commit() reads the file instead.
 */
export class UploadSession implements Upload {
  readonly id: string;
  readonly startedAt: Date;
  readonly #repository: string;
  readonly #context: UploadContext;
  readonly #data: string;
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
    this.#data = uploadData(identity.repository, identity.id);
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
      this.#refuseWhenGone();
      return this.#size;
    });
  }

  commit(expected: Digest): Promise<BlobDescriptor> {
    const committed = this.#exclusively('committing', async () => {
      await this.#prepare(expected);
      const blob = { digest: expected, size: this.#size };
      await this.#orGiveUp(this.#context.locks.run(expected, () => this.#moveIntoPlace(blob)));
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

  async #verify(expected: Digest): Promise<void> {
    const received = await this.#digest(digestAlgorithm(expected));
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

  /** The file as it is now counts, whoever has written to it. */
  async #prepare(expected: Digest): Promise<void> {
    const info = await this.#context.driver.stat(this.#data);
    this.#resize(info?.size ?? 0);
    await this.#verify(expected);
  }

  /**
   * What is verified and then can't be committed is removed, and the client begins again: after a sync that failed the
   * kernel may call data clean that never reached the disk, so that another try would succeed without it.
   */
  async #orGiveUp(action: Promise<void>): Promise<void> {
    try {
      await action;
    } catch (error) {
      // The first error is the one to tell; what can't be removed either, the purger will.
      await this.#remove().catch(() => {});
      throw isMissing(error) ? unknownUpload(this.id) : error;
    }
  }

  /**
   * Replaces data that is there already: the new bytes have just been verified, the old ones may be what a crash of
   * another registry left. The link comes last, so that it never points to nothing. Of nothing there need be no file.
   */
  async #moveIntoPlace({ digest, size }: BlobDescriptor): Promise<void> {
    const path = blobData(digest);
    await this.#context.driver.publish([
      [size === 0 ? { path, content: Buffer.alloc(0) } : { path, from: this.#data }],
      [link(layerLink(this.#repository, digest), digest)],
    ]);
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

function unknownUpload(id: string): RegistryError {
  return new RegistryError('BLOB_UPLOAD_UNKNOWN', { detail: { uuid: id } });
}

/** Another replica has committed or cancelled it meanwhile. */
function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** What was received is given up then: it would fill the volume until the purger comes. */
function isVolumeFull(error: unknown): boolean {
  return error instanceof RegistryError && error.status === 507;
}
