import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FileWriter, StorageDriver } from '#registry/storage/driver.ts';

/** Called before each action that changes something; what it throws is what the disk says. */
export type Fault = (action: string, path: string) => void;

/** A driver whose disk fails at the step that the test wants; a real one that fails (failing-disk.ts) can't be told at which. */
export function faultyDriver(driver: StorageDriver, fault: Fault): StorageDriver {
  const guarded = async <T>(action: string, path: string, run: () => Promise<T>): Promise<T> => {
    // A disk answers later, when more has arrived.
    await nextTurn();
    fault(action, path);
    return run();
  };
  const guardedWriter = (path: string, writer: FileWriter): FileWriter => ({
    get size() {
      return writer.size;
    },
    write: (chunks) => guarded('write', path, () => writer.write(chunks)),
    sync: () => guarded('sync', path, () => writer.sync()),
    close: () => writer.close(),
  });
  return {
    ...driver,
    putContent: (path, content) => guarded('putContent', path, () => driver.putContent(path, content)),
    // One file after the other, as a crash or an error would leave them.
    async publish(stages) {
      for (const placement of stages.flat()) {
        if ('from' in placement) await guarded('sync', placement.from, async () => {});
      }
      for (const placement of stages.flat()) {
        await guarded('publish', placement.path, () => driver.publish([[placement]]));
      }
    },
    append: (path) => guarded('append', path, async () => guardedWriter(path, await driver.append(path))),
    move: (from, to, options) => guarded('move', to, () => driver.move(from, to, options)),
    delete: (path, options) => guarded('delete', path, () => driver.delete(path, options)),
  };
}

/** The error of a file operation as Node makes it. */
export function diskError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: the disk failed`), { code });
}
