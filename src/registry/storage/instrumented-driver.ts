import type { FileReader, FileWriter, StorageDriver } from './driver.ts';

/** Distribution's names, so that dashboards for its `registry_storage_action_seconds{driver,action}` go on working. */
export type StorageAction = 'GetContent' | 'PutContent' | 'Reader' | 'Writer' | 'Stat' | 'List' | 'Move' | 'Delete';

export type ObserveAction = (driver: string, action: StorageAction, seconds: number) => void;

/** Tells `observe` how long each action took, whether it succeeded or not. */
export function instrumentedDriver(driver: StorageDriver, observe: ObserveAction): StorageDriver {
  async function timed<T>(action: StorageAction, run: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await run();
    } finally {
      observe(driver.name, action, (performance.now() - started) / 1000);
    }
  }
  return {
    name: driver.name,
    tickMs: driver.tickMs,
    stat: (path) => timed('Stat', () => driver.stat(path)),
    getContent: (path) => timed('GetContent', () => driver.getContent(path)),
    putContent: (path, content) => timed('PutContent', () => driver.putContent(path, content)),
    publish: (stages) => timed('PutContent', () => driver.publish(stages)),
    open: (path) => timed<FileReader | undefined>('Reader', () => driver.open(path)),
    append: (path) => timed<FileWriter>('Writer', () => driver.append(path)),
    list: (path) => timed('List', () => driver.list(path)),
    move: (from, to, options) => timed('Move', () => driver.move(from, to, options)),
    delete: (path, options) => timed('Delete', () => driver.delete(path, options)),
    removeEmpty: (path) => timed('Delete', () => driver.removeEmpty(path)),
    touch: (path) => driver.touch(path),
    space: () => driver.space(),
  };
}
