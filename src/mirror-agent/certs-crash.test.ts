/** An agent that is killed at any moment: what containerd finds is always a whole file, and the next agent tidies up. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import { temporaryFolder } from '#test/support/temporary.ts';
import { executeCerts } from './certs-execute.ts';
import { planCerts } from './certs-plan.ts';
import { hostsFile, scanCerts, temporaryPrefix } from './certs-scan.ts';
import { readMarker } from './hosts-toml.ts';

/** Creates, changes and removes hosts as fast as it can. */
const busy = `
import { executeCerts } from '${new URL('certs-execute.ts', import.meta.url).href}';
import { planCerts } from '${new URL('certs-plan.ts', import.meta.url).href}';
import { scanCerts } from '${new URL('certs-scan.ts', import.meta.url).href}';
const registry = { namespace: 'default', name: 'kind-registry', uid: '0b1f' };
const root = process.argv[1];
process.stdout.write('ready');
for (let round = 0; ; round++) {
  const hosts = round % 3 === 2 ? [] : ['a:1', 'b:1', 'c:1'];
  const wanted = hosts.map((host) => ({ host, registry, endpoint: 'http://10.96.0.7:' + round }));
  await executeCerts(root, planCerts(await scanCerts(root), wanted));
}`;

test('killed at any moment, it leaves whole files, and names that are cleaned', async (t) => {
  const root = await temporaryFolder(t);
  for (let round = 0; round < 12; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', busy, root], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    await once(child.stdout, 'data');
    // Any moment will do: this one differs from round to round.
    await delay(round * 7);
    child.kill('SIGKILL');
    await ended;
    for (const name of (await readdir(root)).filter((entry) => !entry.startsWith(temporaryPrefix))) {
      const text = await readFile(join(root, name, hostsFile), 'utf8');
      assert.equal(readMarker(text)?.intact, true, `${name} after round ${round}: ${text}`);
    }
  }
  await executeCerts(root, planCerts(await scanCerts(root), []));
  assert.deepEqual(await readdir(root), []);
});
