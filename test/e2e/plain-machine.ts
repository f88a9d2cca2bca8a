/** The registry without a cluster, as the examples run it: under a real systemd, and with compose. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { load } from 'js-yaml';
import { bundle } from '#scripts/lib/bundle.ts';
import { run } from '#scripts/lib/command.ts';
import type { Engine } from '#scripts/lib/engine.ts';
import { findClusterSource } from '#scripts/lib/find-cluster-source.ts';
import { root } from '#scripts/lib/paths.ts';
import type { TestCluster } from '#test/support/cluster.ts';
import { image } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { freePort } from '#test/support/free-port.ts';
import { program } from '#test/support/programs.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { temporaryFolder } from '#test/support/temporary.ts';

const example = (name: string) => join(root, 'examples', name);
const [before, after] = [image('before the restart'), image('after the restart')];

export function plainMachine(cluster: () => TestCluster): void {
  describe('on a plain machine', () => {
    it('examples/registry.service runs under systemd, takes over a folder of root, and comes back when it is killed', async (t) => {
      const { engine } = await findClusterSource(() => {});
      const machine = await machineWithSystemd(t, engine, cluster().nodes[0] ?? '');
      await machine.run('mkdir -p /var/lib/registry/docker/registry/v2 && chown -R 0:0 /var/lib/registry');
      await machine.run('systemd-analyze verify /etc/systemd/system/registry.service');
      await machine.run('systemctl enable --now registry');

      const client = registryClient(machine.url);
      await answers(machine.url);
      await client.pushImage('app', before, '1');
      const property = (name: string) => machine.run(`systemctl show registry -p ${name} --value`);
      assert.notEqual(await machine.run(`stat -c %u /proc/${await property('MainPID')}`), '0');
      assert.match(await machine.run('stat -Lc %a /var/lib/registry'), /750/);

      await machine.run(`kill -9 ${await property('MainPID')}`);
      await eventually(async () => assert.equal(await property('NRestarts'), '1'));
      await answers(machine.url);
      assert.ok((await client.pullAll('app', '1')) > 0);
      await client.pushImage('app', after, '2');

      await machine.run('systemctl stop registry');
      assert.deepEqual([await property('ActiveState'), await property('Result')], ['inactive', 'success']);
    });

    it('examples/compose.yaml runs with compose: healthy, and with its images after it was made anew', async (t) => {
      const { engine } = await findClusterSource(() => {});
      const { url, compose, check } = await composed(t, engine);
      await compose('up', '-d');
      const client = registryClient(url);
      await answers(url);
      await client.pushImage('app', before, '1');
      await eventually(check);

      await compose('down');
      await assert.rejects(fetch(url));
      await compose('up', '-d');
      await answers(url);
      assert.ok((await client.pullAll('app', '1')) > 0);
    });
  });
}

async function answers(url: string): Promise<void> {
  await eventually(async () => assert.equal((await fetch(new URL('/v2/', url))).status, 200), { timeoutMs: 30_000 });
}

interface Machine {
  url: string;
  /** Runs a shell command as root; its standard output. */
  run(command: string): Promise<string>;
}

/** A machine with systemd as its first process, of the image that the cluster's nodes have, prepared as the unit says. */
async function machineWithSystemd(t: TestContext, engine: Engine, node: string): Promise<Machine> {
  const name = `${node}-plain`;
  const port = await freePort();
  const options = ['--privileged', '--tmpfs', '/tmp', '--tmpfs', '/run', '-p', `127.0.0.1:${port}:5000`];
  const nodeImage = await engine.run(['inspect', '--format', '{{.Image}}', node]);
  await engine.run(['rm', '-f', '-v', name]).catch(() => {});
  t.after(() => engine.run(['rm', '-f', '-v', name]));
  await engine.run(['run', '-d', '--name', name, ...options, '--entrypoint', '/sbin/init', nodeImage]);
  const inside = (command: string) => engine.run(['exec', name, 'sh', '-c', command]);

  const folder = await temporaryFolder(t);
  await bundle(join(folder, 'dist'));
  await inside('mkdir -p /etc/distribution');
  await engine.run(['cp', process.execPath, `${name}:/usr/bin/node`]);
  await engine.run(['cp', join(folder, 'dist', 'app'), `${name}:/opt/registry-operator`]);
  await engine.run(['cp', example('config.yml'), `${name}:/etc/distribution/config.yml`]);
  await engine.run(['cp', example('registry.service'), `${name}:/etc/systemd/system/registry.service`]);
  await eventually(async () => assert.match(await inside('systemctl is-system-running || true'), /running|degraded/), {
    timeoutMs: 60_000,
  });
  return { url: `http://127.0.0.1:${port}`, run: inside };
}

interface Composed {
  url: string;
  compose: (...args: string[]) => Promise<string>;
  /** Rejects while the container is not healthy. */
  check: () => Promise<void>;
}

/** The example with another port of this machine, so that it disturbs nobody. */
async function composed(t: TestContext, engine: Engine): Promise<Composed> {
  const project = 'registry-operator-e2e';
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'registry-operator-'));
  const file = join(folder, 'compose.yaml');
  const text = await readFile(example('compose.yaml'), 'utf8');
  const moved = text.replace('127.0.0.1:5000:5000', `127.0.0.1:${port}:5000`);
  assert.notEqual(moved, text);
  await writeFile(file, moved);
  const command = engine.name === 'docker' ? ['docker', 'compose'] : [await program('podman-compose')];
  const compose = (...args: string[]) => {
    const [name = '', ...first] = command;
    return run(name, [...first, '-p', project, '-f', file, ...args], { env: engine.env });
  };
  await compose('down', '-v').catch(() => {});
  t.after(async () => {
    await compose('down', '-v'); // it reads the file
    await engine.run(['network', 'rm', '-f', `${project}_default`]).catch(() => {}); // old ones leave it
    await rm(folder, { recursive: true, force: true });
  });
  return { url: `http://127.0.0.1:${port}`, compose, check: () => healthy(engine, project, text) };
}

/** Runs the example's own check in the container: not every compose hands it on as it stands, nor does podman run it without systemd. */
async function healthy(engine: Engine, project: string, text: string): Promise<void> {
  const { services } = load(text) as { services: { registry: { healthcheck: { test: string[] } } } };
  const [kind, ...check] = services.registry.healthcheck.test;
  assert.equal(kind, 'CMD');
  const container = await engine.run(['ps', '-q', '--filter', `label=com.docker.compose.project=${project}`]);
  await engine.run(['exec', container, ...check]);
}
