import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandError, run, succeeds } from './command.ts';

const node = (script: string, options = {}) => run(process.execPath, ['--eval', script], options);

test('standard output is the result; lines of both outputs are told while it runs', async () => {
  const lines: string[] = [];
  const script = 'console.log("one"); console.error("two"); process.stdin.pipe(process.stdout)';
  assert.equal(await node(script, { input: 'three\n', onLine: (line: string) => lines.push(line) }), 'one\nthree');
  assert.deepEqual(new Set(lines), new Set(['one', 'two', 'three']));
});

test('a failure carries the exit code and the last lines', async () => {
  await assert.rejects(node('console.error("because"); process.exit(3)'), (error: CommandError) => {
    assert.ok(error instanceof CommandError);
    assert.equal(error.code, 3);
    assert.match(error.message, /exit code 3\nbecause$/);
    return true;
  });
});

test('a program that is not there, and one that takes too long, are failures too', async () => {
  await assert.rejects(run('/nowhere/program', []), /cannot be started/);
  await assert.rejects(node('setInterval(() => {}, 1000)', { timeoutMs: 200 }), /ended by SIGKILL/);
  assert.equal(await succeeds('/nowhere/program', []), false);
  assert.equal(await succeeds(process.execPath, ['--eval', '0']), true);
});
