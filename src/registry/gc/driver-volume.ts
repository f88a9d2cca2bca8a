import type { StorageDriver } from '#registry/storage/driver.ts';
import type { Volume } from './volume.ts';

/** Any storage, by way of its driver. Removals are not synced: what a power failure brings back is garbage again. */
export function driverVolume(driver: StorageDriver): Volume {
  return {
    list: async (path) => (await driver.list(path))?.map(({ name }) => name),
    read: async (path) => (await driver.getContent(path))?.bytes,
    stat: async (path) => driver.stat(path),
    unlink: (path) => driver.delete(path, { lazily: true }),
    move: (from, to) => driver.move(from, to, { lazily: true }),
    removeTree: (path) => driver.delete(path, { lazily: true }),
    removeEmpty: (path) => driver.removeEmpty(path),
  };
}
