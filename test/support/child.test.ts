import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startChild } from './child.ts';
import { eventually } from './eventually.ts';
import { temporaryFolder } from './temporary.ts';

/** Writes its pid, and stays. */
const stay = ['-c', 'echo $$ > "$0.new"; mv "$0.new" "$0"; exec sleep 600'];

const pidIn = (file: string): Promise<number> => eventually(async () => Number(await readFile(file, 'utf8')));
const gone = (pid: number): Promise<void> => eventually(() => assert.throws(() => process.kill(pid, 0)));

test('a server that ends by itself says its last words', async () => {
  assert.match(await startChild('/bin/sh', ['-c', 'echo out of order >&2; exit 3']).ended, /out of order/);
});

test('a server is ended by stop', async (t) => {
  const file = join(await temporaryFolder(t), 'pid');
  const child = startChild('/bin/sh', [...stay, file]);
  const pid = await pidIn(file);
  await child.stop();
  await gone(pid);
});

test('a server ends with us, even when we are killed', async (t) => {
  const file = join(await temporaryFolder(t), 'pid');
  const script = `
    import { startChild } from '#test/support/child.ts';
    startChild('/bin/sh', ${JSON.stringify([...stay, file])});
    setInterval(() => {}, 1000);`;
  const us = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  const pid = await pidIn(file);
  us.kill('SIGKILL');
  await once(us, 'exit');
  await gone(pid);
});
