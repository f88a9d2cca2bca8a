/** The command as a process of its own, stopped in the middle of its work. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '#test/support/eventually.ts';
import { registryCommand } from '#test/support/registry.ts';
import { registryTree, type RegistryTree } from '#test/support/registry-tree.ts';
import { temporaryFolder } from '#test/support/temporary.ts';

/** More than one thread removes, and more than all of them take before they hear of a signal. */
const garbageBlobs = 4000;
const heldRemovals = fileURLToPath(import.meta.resolve('#test/support/held-removals.ts'));

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

interface Collecting {
  kill(signal: NodeJS.Signals): void;
  ended: Promise<Ended>;
}

/** Each of its threads stops after some removals, until the file `heldUntil` is there. */
async function collecting(t: TestContext, { root }: RegistryTree, heldUntil?: string): Promise<Collecting> {
  const configFile = join(root, 'config.yml');
  await writeFile(configFile, JSON.stringify({ version: '0.1', storage: { filesystem: { rootdirectory: root } } }));
  const [command = '', ...args] = await registryCommand('ours');
  const held =
    heldUntil === undefined ? {} : { NODE_OPTIONS: `--import=${heldRemovals}`, HELD_REMOVALS_UNTIL: heldUntil };
  const child = spawn(command, [...args, 'garbage-collect', configFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...held },
  });
  t.after(() => child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended: Promise<Ended> = once(child, 'close').then(([code, signal]) => ({ code, signal, stderr }));
  return {
    kill: (signal) => void child.kill(signal),
    ended,
  };
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test(`a collection that ${signal} stops has removed some, and the next one removes the rest`, async (t) => {
    const tree = registryTree(await temporaryFolder(t));
    const layer = tree.blob('layer');
    tree.layerLink('app', layer.digest);
    tree.tag('app', 'latest', tree.manifest('app', { layers: [layer] }).digest);
    const kept = tree.files();
    const garbage = Array.from({ length: garbageBlobs }, (_, number) => tree.blob(`garbage ${number}`));
    const paths = garbage.map(({ digest }) => tree.path(tree.blobPath(digest)));
    const goOn = join(tree.root, 'go-on');

    const first = await collecting(t, tree, goOn);
    await eventually(() => assert.ok(!paths.every((path) => existsSync(path))), { timeoutMs: 60_000 });
    first.kill(signal);
    await writeFile(goOn, '');
    const ended = await first.ended;
    if (signal === 'SIGKILL') assert.equal(ended.signal, signal);
    else assert.deepEqual([ended.code, ended.signal], [130, null], ended.stderr);
    if (signal !== 'SIGKILL') assert.match(ended.stderr, /interrupted.*the next run finds the rest/);
    const left = paths.filter((path) => existsSync(path)).length;
    t.diagnostic(`${garbageBlobs - left} of ${garbageBlobs} were removed`);
    assert.ok(left > 0 && left < garbageBlobs, `${left} are left`);

    const { code, stderr } = await (await collecting(t, tree)).ended;
    assert.equal(code, 0, stderr);
    assert.deepEqual(tree.files(), kept);
  });
}
