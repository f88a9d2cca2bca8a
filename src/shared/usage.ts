/**
 * The agreement between the registry and the operator: what a registry tells of itself, one line of JSON at a time, at
 * `GET /debug/usage?watch=true` on its debug port.
 */

/** What its index knows. */
export interface CatalogUsage {
  /** False while the registry still reads its storage: the counts grow. */
  complete: boolean;
  repositories: number;
  tags: number;
  manifests: number;
  blobs: number;
  /** Bytes of all blobs, each counted once. */
  bytes: number;
}

export interface Usage extends CatalogUsage {
  /** Bytes of the file system; `null` where the storage is none. */
  volume: { capacity: number; free: number } | null;
}

export function serializeUsage(usage: Usage): string {
  return `${JSON.stringify(usage)}\n`;
}

const counts = ['repositories', 'tags', 'manifests', 'blobs', 'bytes'] as const;

/** Throws an Error that says what is wrong with the line. */
export function parseUsage(line: string): Usage {
  const value = JSON.parse(line) as Record<string, unknown> | null;
  if (typeof value !== 'object' || value === null) throw new Error('a usage line is not an object');
  for (const name of counts) {
    if (!isCount(value[name])) throw new Error(`a usage line has no count of ${name}`);
  }
  const volume = value['volume'] as Usage['volume'] | undefined;
  if (volume && !(isCount(volume.capacity) && isCount(volume.free))) throw new Error('a usage line has a bad volume');
  return { ...(value as unknown as Usage), complete: value['complete'] === true, volume: volume ?? null };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
