import { digestEncoded, type Digest } from '#registry/oci/digest.ts';

const wordsPerKey = 4;

/**
 * Digests and a number for each, in 24 bytes a slot instead of the 200 of a Map: a registry may hold a million blobs. The
 * first 128 bits of a digest stand for it; they are as random as a hash can be, so they also choose the slot.
 * Open addressing with linear probing, deletion by shifting back: Knuth, The Art of Computer Programming 3, 6.4, Algorithm R.
 */
export class DigestTable {
  #keys = new Uint32Array(0);
  /** NaN: the slot is free. */
  #values = new Float64Array(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(digest: Digest): number | undefined {
    const value = this.#values[this.#slot(words(digest))];
    return value === undefined || Number.isNaN(value) ? undefined : value;
  }

  /** The value that it replaces. */
  set(digest: Digest, value: number): number | undefined {
    if (this.#size >= this.#values.length * 0.75) this.#grow();
    const key = words(digest);
    const slot = this.#slot(key);
    const before = this.#values[slot]!;
    this.#keys.set(key, slot * wordsPerKey);
    this.#values[slot] = value;
    if (!Number.isNaN(before)) return before;
    this.#size++;
    return undefined;
  }

  /** The value that was there. */
  delete(digest: Digest): number | undefined {
    const slot = this.#slot(words(digest));
    const before = this.#values[slot];
    if (before === undefined || Number.isNaN(before)) return undefined;
    this.#size--;
    this.#closeGap(slot);
    return before;
  }

  /** Of the key, or the free one where it belongs; -1 while there are no slots. */
  #slot(key: Uint32Array): number {
    const mask = this.#values.length - 1;
    if (mask < 0) return -1;
    let slot = key[0]! & mask;
    while (!Number.isNaN(this.#values[slot]!) && !this.#holds(slot, key)) slot = (slot + 1) & mask;
    return slot;
  }

  #holds(slot: number, key: Uint32Array): boolean {
    const at = slot * wordsPerKey;
    const keys = this.#keys;
    return keys[at] === key[0] && keys[at + 1] === key[1] && keys[at + 2] === key[2] && keys[at + 3] === key[3];
  }

  /** Moves those that follow into the gap unless they would come to lie before their own place. */
  #closeGap(free: number): void {
    const mask = this.#values.length - 1;
    let gap = free;
    for (let slot = (gap + 1) & mask; !Number.isNaN(this.#values[slot]!); slot = (slot + 1) & mask) {
      const home = this.#keys[slot * wordsPerKey]! & mask;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      this.#keys.copyWithin(gap * wordsPerKey, slot * wordsPerKey, (slot + 1) * wordsPerKey);
      this.#values[gap] = this.#values[slot]!;
      gap = slot;
    }
    this.#values[gap] = Number.NaN;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    const slots = Math.max(8, values.length * 2);
    this.#keys = new Uint32Array(slots * wordsPerKey);
    this.#values = new Float64Array(slots).fill(Number.NaN);
    const key = new Uint32Array(wordsPerKey);
    for (let old = 0; old < values.length; old++) {
      if (Number.isNaN(values[old]!)) continue;
      for (let word = 0; word < wordsPerKey; word++) key[word] = keys[old * wordsPerKey + word]!;
      const slot = this.#slot(key);
      this.#keys.set(key, slot * wordsPerKey);
      this.#values[slot] = values[old]!;
    }
  }
}

function words(digest: Digest): Uint32Array {
  const hex = digestEncoded(digest);
  const key = new Uint32Array(wordsPerKey);
  for (let word = 0; word < wordsPerKey; word++) key[word] = Number.parseInt(hex.slice(word * 8, word * 8 + 8), 16);
  return key;
}
