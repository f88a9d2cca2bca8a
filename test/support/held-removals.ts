/**
 * Preloaded into a program (`node --import`) that is to be met in the middle of its removals: each of its threads removes some files,
 * and goes on when the file that HELD_REMOVALS_UNTIL names is there.
 */
import fs, { type PathLike } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [removedAtOnce, lookEveryMs] = [20, 10];
const until = process.env['HELD_REMOVALS_UNTIL'] ?? '';
const never = new Int32Array(new SharedArrayBuffer(4));
const remove = fs.unlinkSync;
let removed = 0;

fs.unlinkSync = (path: PathLike) => {
  if (removed++ >= removedAtOnce) while (!fs.existsSync(until)) Atomics.wait(never, 0, 0, lookEveryMs);
  remove(path);
};
syncBuiltinESMExports();
