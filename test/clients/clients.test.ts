/** Real clients against our registry; the closing table is the one of the README. CLIENTS_OF=distribution tries a peer. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { startDockerEngine, type ImageStore } from '#test/support/docker-engine.ts';
import { unpackableImage } from '#test/support/oci-layout.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { registryKinds, startRegistry, type TestRegistry } from '#test/support/registry.ts';
import { openScope } from '#test/support/scope.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import type { Client, Workspace } from './client.ts';
import { contract } from './contract.ts';
import { cosign } from './cosign.ts';
import { crane } from './crane.ts';
import { docker } from './docker.ts';
import { engine } from './engine.ts';
import { helm } from './helm.ts';
import { oras } from './oras.ts';
import { regctl } from './regctl.ts';
import { skopeo } from './skopeo.ts';
import { clientTable } from './table.ts';
import { openWorkspace } from './workspace.ts';

type Open = (workspace: Workspace, host: string) => Client | Promise<Client>;

const dockerWith = (store: ImageStore) => async (workspace: Workspace) =>
  docker(workspace, await startDockerEngine(scope, store));

const basic = ['push', 'pull', 'pushIndex'] as const;
const listing = ['tags', 'copy', 'remove'] as const;
const artifacts = ['attach', 'discover'] as const;

/** What each client is expected to do: a command that is lost with a new version turns a test red. */
const clients: Record<string, [open: Open, has: (keyof Client)[]]> = {
  skopeo: [skopeo, [...basic, 'pullIndex', ...listing]],
  docker: [dockerWith('docker'), [...basic]],
  'docker-containerd': [dockerWith('containerd'), [...basic]],
  podman: [(workspace) => engine('podman', workspace), [...basic, 'tags']],
  buildah: [(workspace) => engine('buildah', workspace), [...basic]],
  crane: [crane, [...basic, 'pullIndex', 'repositories', ...listing]],
  oras: [oras, [...basic, 'pullIndex', 'repositories', ...listing, ...artifacts]],
  regctl: [regctl, [...basic, 'pullIndex', 'repositories', ...listing, ...artifacts]],
};

const table = clientTable();
const kind = registryKinds.find((kind) => kind === process.env['CLIENTS_OF']) ?? 'ours';
const scope = openScope();
let registry: TestRegistry;
let workspace: Workspace;
const opened = new Map<string, Client>();

before(async () => {
  workspace = await openWorkspace(await temporaryFolder(scope));
  registry = await startRegistry(scope, { kind });
  for (const [name, [open]] of Object.entries(clients)) {
    if (reasonToSkip(name) === undefined) opened.set(name, await open(workspace, registry.host));
  }
});

after(async () => {
  process.stdout.write(`\n${table.toString()}\n\n`);
  await scope.close();
});

function reasonToSkip(name: string): string | undefined {
  return name.startsWith('docker') && process.getuid?.() !== 0 ? "docker's engine needs root" : undefined;
}

for (const [name, [, has]] of Object.entries(clients)) {
  const context = () => {
    const client = opened.get(name);
    assert.ok(client);
    return { registry, workspace, client, table };
  };
  contract(name, has, context, reasonToSkip(name));
}

test('helm: a chart comes back byte for byte', async () => {
  const { chart, push, pull } = helm(workspace);
  const archive = await chart('example', '1.2.3');
  await push(archive, `${registry.host}/clients/charts`);
  table.worked('helm', 'push');
  const pulled = await pull(`${registry.host}/clients/charts/example`, '1.2.3');
  assert.deepEqual(pulled, await readFile(archive));
  table.worked('helm', 'pull');
});

test('cosign: a signature lies beside the image, and verifies', async () => {
  const repository = 'clients/cosign';
  const image = unpackableImage(repository);
  await registryClient(registry.url).pushImage(repository, image, '1');
  const reference = `${registry.host}/${repository}@${image.manifest.digest}`;
  const { sign, verify } = await cosign(workspace);
  await assert.rejects(verify(reference));
  await sign(reference);
  table.worked('cosign', 'sign');
  await verify(reference);
  table.worked('cosign', 'verify');
});
