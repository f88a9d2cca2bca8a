/** One contract for every image client: what it pushes is in the registry byte for byte, and comes back the same. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { unpackableImage, writeLayout } from '#test/support/oci-layout.ts';
import { registryClient } from '#test/support/registry-client.ts';
import type { TestRegistry } from '#test/support/registry.ts';
import type { Client, Workspace } from './client.ts';
import type { ClientTable } from './table.ts';

export interface ContractContext {
  registry: TestRegistry;
  workspace: Workspace;
  client: Client;
  table: ClientTable;
}

type Check = (context: ContractContext, repository: string) => Promise<void>;

/** In the order of the table; each works in a repository of its own. */
const checks: Partial<Record<keyof Client, Check>> = {
  push: async ({ registry, workspace, client }, repository) => {
    const layout = await workspace.folder();
    await writeLayout(layout, [unpackableImage(repository)]);
    const digest = await client.push(layout, `${registry.host}/${repository}:1`);
    const server = registryClient(registry.url);
    assert.equal((await server.manifest(repository, '1'))?.digest, digest.trim());
    await server.pullAll(repository, '1');
  },

  pull: async ({ registry, client }, repository) => {
    const image = unpackableImage(repository);
    await registryClient(registry.url).pushImage(repository, image, '1');
    assert.equal(await client.pull(`${registry.host}/${repository}:1`), image.manifest.digest);
  },

  pushIndex: async ({ registry, workspace, client }, repository) => {
    const layout = await workspace.folder();
    await writeLayout(layout, twoArchitectures(repository));
    const digest = await client.pushIndex?.(layout, `${registry.host}/${repository}:1`);
    const server = registryClient(registry.url);
    assert.equal((await server.manifest(repository, '1'))?.digest, digest?.trim());
    await server.pullAll(repository, '1');
  },

  pullIndex: async ({ registry, workspace, client }, repository) => {
    const images = twoArchitectures(repository);
    const top = await writeLayout(await workspace.folder(), images);
    const server = registryClient(registry.url);
    for (const image of images) await server.pushImage(repository, image);
    await server.pushManifest(repository, top, '1');
    assert.equal(await client.pullIndex?.(`${registry.host}/${repository}:1`), top.digest);
  },

  tags: async ({ registry, client }, repository) => {
    const server = registryClient(registry.url);
    const image = unpackableImage(repository);
    for (const tag of ['1', '1.0', 'latest']) await server.pushImage(repository, image, tag);
    assert.deepEqual(await client.tags?.(`${registry.host}/${repository}`), ['1', '1.0', 'latest']);
  },

  repositories: async ({ registry, client }, repository) => {
    await registryClient(registry.url).pushImage(repository, unpackableImage(repository), '1');
    const listed = await client.repositories?.(registry.host);
    assert.ok(listed?.includes(repository), String(listed));
  },

  copy: async ({ registry, client }, repository) => {
    const server = registryClient(registry.url);
    const image = unpackableImage(repository);
    await server.pushImage(repository, image, '1');
    await client.copy?.(`${registry.host}/${repository}:1`, `${registry.host}/${repository}/copy:2`);
    assert.equal((await server.manifest(`${repository}/copy`, '2'))?.digest, image.manifest.digest);
    await server.pullAll(`${repository}/copy`, '2');
  },

  remove: async ({ registry, client }, repository) => {
    const server = registryClient(registry.url);
    await server.pushImage(repository, unpackableImage(`${repository}/kept`), 'kept');
    await server.pushImage(repository, unpackableImage(repository), '1');
    await client.remove?.(`${registry.host}/${repository}:1`);
    assert.deepEqual(await server.tags(repository), ['kept']);
    await server.pullAll(repository, 'kept');
  },

  attach: async (context, repository) => {
    await attachOne(context, repository);
  },

  discover: async (context, repository) => {
    const reference = await attachOne(context, repository);
    assert.deepEqual(await context.client.discover?.(reference), ['application/vnd.example.sbom']);
  },
};

async function attachOne({ registry, workspace, client }: ContractContext, repository: string): Promise<string> {
  const file = join(await workspace.folder(), 'sbom.txt');
  await writeFile(file, 'nothing but bytes');
  await registryClient(registry.url).pushImage(repository, unpackableImage(repository), '1');
  const reference = `${registry.host}/${repository}:1`;
  await client.attach?.(reference, 'application/vnd.example.sbom', file);
  return reference;
}

function twoArchitectures(seed: string) {
  return [unpackableImage(seed, 'amd64'), unpackableImage(seed, 'arm64')];
}

/** One test for each operation that the client has a command for; `skip` says why the client can't run here. */
export function contract(
  name: string,
  has: (keyof Client)[],
  open: () => ContractContext,
  skip: string | undefined,
): void {
  for (const [operation, check] of Object.entries(checks)) {
    if (!has.includes(operation as keyof Client)) continue;
    test(`${name}: ${operation}`, { skip: skip ?? false }, async () => {
      const context = open();
      await check(context, `clients/${name}/${operation.toLowerCase()}`);
      context.table.worked(name, operation);
    });
  }
}
