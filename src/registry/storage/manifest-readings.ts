import type { Digest } from '#registry/oci/digest.ts';
import { largestManifest } from '#registry/oci/manifest.ts';
import type { Logger } from '#shared/logger.ts';
import type { StorageDriver } from './driver.ts';
import { blobData, digestOfDirectory, revisionsDirectory } from './layout.ts';
import { workThrough } from './work-through.ts';

export interface ManifestReadings {
  /** Shows all manifests of a repository, once: those who ask later wait for the same reading. After a failure the next one tries again. */
  read(repository: string): Promise<void>;
}

export interface ManifestReadingsOptions {
  driver: StorageDriver;
  logger: Logger;
  /** Told of the content of each manifest, which may be garbled. */
  show: (manifest: Uint8Array) => void;
}

/** Manifests read at a time. */
const width = 8;

export function createManifestReadings({ driver, logger, show }: ManifestReadingsOptions): ManifestReadings {
  const readings = new Map<string, Promise<void>>();

  /** One that can't be read keeps nobody from the others, nor from the blobs that it names. */
  async function readManifest(digest: Digest): Promise<void> {
    const path = blobData(digest);
    try {
      const info = await driver.stat(path);
      if (!info || info.size > largestManifest) return;
      const content = await driver.getContent(path);
      if (content) show(content.bytes);
    } catch (error) {
      logger.warn({ err: error, digest }, 'a manifest that states the sizes of blobs can not be read');
    }
  }

  async function readAll(repository: string): Promise<void> {
    const root = revisionsDirectory(repository);
    for (const { name: algorithm } of (await driver.list(root)) ?? []) {
      const entries = (await driver.list(`${root}/${algorithm}`)) ?? [];
      const digests = entries.map(({ name }) => digestOfDirectory(algorithm, name));
      const candidates = digests.filter((digest) => digest !== undefined);
      await workThrough(candidates, { width, visit: readManifest });
    }
  }

  return {
    read(repository) {
      const earlier = readings.get(repository);
      if (earlier) return earlier;
      const reading = readAll(repository);
      readings.set(repository, reading);
      reading.catch(() => readings.delete(repository));
      return reading;
    },
  };
}
