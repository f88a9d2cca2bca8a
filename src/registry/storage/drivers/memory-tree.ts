import type { FileInfo } from '#registry/storage/driver.ts';

export interface MemoryFile {
  kind: 'file';
  identity: number;
  modifiedMs: number;
  /** May be longer than the content. */
  buffer: Buffer;
  size: number;
}

export interface MemoryDirectory {
  kind: 'directory';
  identity: number;
  modifiedMs: number;
  /** Counts changes, so that two within a millisecond are told apart. */
  changes: number;
  children: Map<string, MemoryNode>;
}

export type MemoryNode = MemoryFile | MemoryDirectory;

let identities = 0;

export function newFile(content: Uint8Array): MemoryFile {
  const buffer = Buffer.from(content);
  return { kind: 'file', identity: ++identities, modifiedMs: Date.now(), buffer, size: buffer.byteLength };
}

export function newDirectory(): MemoryDirectory {
  return { kind: 'directory', identity: ++identities, modifiedMs: Date.now(), changes: 0, children: new Map() };
}

export function content(file: MemoryFile): Buffer {
  return file.buffer.subarray(0, file.size);
}

/** Grows by doubling, so that an upload of many chunks copies each byte a few times at most. */
export function extend(file: MemoryFile, chunks: Uint8Array[]): void {
  const wanted = chunks.reduce((sum, chunk) => sum + chunk.byteLength, file.size);
  if (wanted > file.buffer.byteLength) {
    const grown = Buffer.allocUnsafeSlow(Math.max(wanted, file.buffer.byteLength * 2));
    content(file).copy(grown);
    file.buffer = grown;
  }
  for (const chunk of chunks) {
    file.buffer.set(chunk, file.size);
    file.size += chunk.byteLength;
  }
  file.modifiedMs = Date.now();
}

export function nodeInfo(node: MemoryNode): FileInfo {
  const { identity, modifiedMs } = node;
  const size = node.kind === 'file' ? node.size : node.changes;
  return { isDirectory: node.kind === 'directory', size, modifiedMs, identity };
}

/** The names of a path; the root has none. */
export function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

export function find(root: MemoryDirectory, path: string): MemoryNode | undefined {
  let node: MemoryNode | undefined = root;
  for (const part of parts(path)) node = node?.kind === 'directory' ? node.children.get(part) : undefined;
  return node;
}

/** Makes the directories above; throws like a file system when one of them is a file. */
export function put(root: MemoryDirectory, path: string, node: MemoryNode): void {
  const names = parts(path);
  const last = names.pop() ?? '';
  let directory = root;
  for (const name of names) {
    const next: MemoryNode = directory.children.get(name) ?? newDirectory();
    if (next.kind === 'file') throw Object.assign(new Error(`${path}: not a directory`), { code: 'ENOTDIR' });
    if (!directory.children.has(name)) change(directory, () => directory.children.set(name, next));
    directory = next;
  }
  change(directory, () => directory.children.set(last, node));
}

export function take(root: MemoryDirectory, path: string): MemoryNode | undefined {
  const names = parts(path);
  const last = names.pop() ?? '';
  const directory = find(root, names.join('/'));
  const node = directory?.kind === 'directory' ? directory.children.get(last) : undefined;
  if (directory?.kind === 'directory' && node) change(directory, () => directory.children.delete(last));
  return node;
}

function change(directory: MemoryDirectory, action: () => unknown): void {
  action();
  directory.changes++;
  directory.modifiedMs = Date.now();
}
