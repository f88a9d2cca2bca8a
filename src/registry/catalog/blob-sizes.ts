import type { Digest } from '#registry/oci/digest.ts';
import { DigestTable } from '#registry/storage/digest-table.ts';

/** The size of every blob on the volume, and their sum. */
export class BlobSizes {
  #sizes = new DigestTable();
  #bytes = 0;
  /** While the disk is read again: what it has shown and what was announced since; takes the place of all at the end. */
  #next: BlobSizes | undefined;

  get count(): number {
    return this.#sizes.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  announce(digest: Digest, size: number): void {
    this.#bytes += size - (this.#sizes.set(digest, size) ?? 0);
    this.#next?.announce(digest, size);
  }

  /** Its data was moved away. */
  lost(digest: Digest): void {
    this.#bytes -= this.#sizes.delete(digest) ?? 0;
    this.#next?.lost(digest);
  }

  /** What was announced is later than what the disk showed. */
  found(digest: Digest, size: number): void {
    const sizes = this.#next ?? this;
    if (sizes.#sizes.get(digest) === undefined) sizes.announce(digest, size);
  }

  /** Without a call, as in the first reading, what is found adds up to what was announced. */
  beginAgain(): void {
    this.#next = new BlobSizes();
  }

  endAgain(outcome: 'complete' | 'failed'): void {
    if (this.#next && outcome === 'complete') {
      this.#sizes = this.#next.#sizes;
      this.#bytes = this.#next.#bytes;
    }
    this.#next = undefined;
  }
}
