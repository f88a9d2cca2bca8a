import type { FileWriter, Placement, StorageDriver } from '#registry/storage/driver.ts';
import {
  content,
  extend,
  find,
  newDirectory,
  newFile,
  nodeInfo,
  put,
  take,
  type MemoryFile,
  type MemoryDirectory,
} from './memory-tree.ts';

/**
 * Everything in the memory of the process, gone with it: distribution's `inmemory`, for trying things out and for tests
 * of what stands on a driver.
 */
export function createInMemoryDriver(): StorageDriver {
  const root = newDirectory();

  function file(path: string): MemoryFile | undefined {
    const node = find(root, path);
    return node?.kind === 'file' ? node : undefined;
  }

  return {
    name: 'inmemory',
    tickMs: 0,
    async stat(path) {
      const node = find(root, path);
      return node && nodeInfo(node);
    },
    async getContent(path) {
      const found = file(path);
      return found && { bytes: Buffer.from(content(found)), info: nodeInfo(found) };
    },
    async putContent(path, bytes) {
      put(root, path, newFile(bytes));
    },
    publish: async (stages) => publish(root, stages.flat()),
    async open(path) {
      const found = file(path);
      if (!found) return undefined;
      const read = async (into: Uint8Array, position: number) =>
        content(found).copy(into, 0, Math.min(position, found.size));
      return { info: nodeInfo(found), read, close: async () => {} };
    },
    async append(path) {
      const found = file(path) ?? newFile(Buffer.alloc(0));
      if (!file(path)) put(root, path, found);
      return fileWriter(found);
    },
    async list(path) {
      const node = find(root, path);
      if (node?.kind !== 'directory') return undefined;
      return [...node.children].map(([name, child]) => ({ name, isDirectory: child.kind === 'directory' }));
    },
    async move(from, to) {
      const node = take(root, from);
      if (node) put(root, to, node);
      return node !== undefined;
    },
    delete: async (path) => take(root, path) !== undefined,
    async removeEmpty(path) {
      const node = find(root, path);
      return node?.kind === 'directory' && node.children.size === 0 && take(root, path) !== undefined;
    },
    async touch(path) {
      const found = file(path);
      if (found) found.modifiedMs = Date.now();
      return found !== undefined;
    },
    space: async () => undefined,
  };
}

function publish(root: MemoryDirectory, placements: Placement[]): void {
  for (const placement of placements) {
    const node = 'from' in placement ? take(root, placement.from) : newFile(placement.content);
    if (!node) throw Object.assign(new Error(`${placement.path}: its content is missing`), { code: 'ENOENT' });
    put(root, placement.path, node);
  }
}

function fileWriter(file: MemoryFile): FileWriter {
  return {
    get size() {
      return file.size;
    },
    write: async (chunks) => extend(file, chunks),
    sync: async () => {},
    close: async () => {},
  };
}
