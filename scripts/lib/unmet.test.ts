/** What the scripts say on a machine that lacks something: one sentence, and no stack. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandError, run } from './command.ts';
import { root } from './paths.ts';

/** Standard error of a script that fails, run where PATH leads to `path` alone. */
async function complaint(script: string, args: string[], path = '/nowhere'): Promise<string> {
  const failed: unknown = await run(process.execPath, [join(root, 'scripts', script), ...args], {
    env: { PATH: path },
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(failed instanceof CommandError, 'the script went on');
  assert.equal(failed.code, 1);
  assert.doesNotMatch(failed.output, /\n +at /);
  return failed.output;
}

test('without an engine, and no way to get one, up says what to start', async () => {
  assert.match(
    await complaint('up.ts', []),
    /no container engine answers: start Docker .* or podman .* or run this as root on Debian/,
  );
});

test('without an engine, the image says what to install', async () => {
  assert.match(await complaint('image.ts', []), /No container engine answers: install and start Docker .* or podman/);
});

test('an option that there is not, and a port that is none, are named', async () => {
  assert.match(await complaint('up.ts', ['--nmae', 'x']), /Unknown option '--nmae'/);
  assert.match(await complaint('up.ts', ['--port', 'http']), /--port http: a port is 1 to 65535/);
});
