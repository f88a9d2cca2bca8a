/** The Registry of examples/registry.yaml: applied, waited for, and its counts compared with what the registry itself says. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { noteMade } from './made.ts';
import { root } from './paths.ts';
import { Unmet, type Report } from './progress.ts';
import type { Target } from './target.ts';
import { waitFor } from './wait-for.ts';

export const registryName = 'kind-registry';
export const registryNamespace = 'default';
const examplePort = 5001;

interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
}

interface RegistryObject {
  metadata: { generation: number };
  status?: {
    observedGeneration?: number;
    conditions?: Condition[];
    catalog?: { repositories: number; tags: number };
    nodes?: { desired: number; configured: number };
  };
}

/** `port`: that of this machine which leads to the registry, 5001 in the example. */
export async function applyRegistry(target: Target, port: number): Promise<void> {
  if (!(await readRegistry(target))) {
    await noteMade(target.context, { registry: { namespace: registryNamespace, name: registryName } });
  }
  const example = await readFile(join(root, 'examples', 'registry.yaml'), 'utf8');
  const manifest = example.replaceAll(`localhost:${examplePort}`, `localhost:${port}`);
  await target.kubectl(['apply', '-n', registryNamespace, '-f', '-'], { input: manifest });
}

function readRegistry(target: Target): Promise<RegistryObject | undefined> {
  return target.get<RegistryObject>('registries.registry-operator.dev', registryName, registryNamespace);
}

/** Waits until the Registry is Ready; rejects with what its condition says is wrong. */
export async function waitUntilReady(target: Target, report: Report): Promise<void> {
  let problem = 'the operator has not looked at it';
  await waitFor(180_000, async () => {
    const registry = await readRegistry(target);
    const ready = registry?.status?.conditions?.find((condition) => condition.type === 'Ready');
    if (registry?.status?.observedGeneration !== registry?.metadata.generation) return false;
    if (ready) problem = `${ready.reason}: ${ready.message}`;
    report(problem);
    return ready?.status === 'True';
  }).catch((cause: unknown) => {
    throw new Unmet(`Registry ${registryNamespace}/${registryName} is not ready. ${problem}`, { cause });
  });
}

/** Waits until status counts what the registry, asked at `url`, holds, and every node is configured. */
export async function waitUntilCounted(target: Target, url: string, report: Report): Promise<void> {
  let seen = '';
  await waitFor(30_000, async () => {
    const [registry, truth] = await Promise.all([readRegistry(target), countRepositories(url)]);
    const { catalog, nodes } = registry?.status ?? {};
    seen = `status has ${JSON.stringify({ catalog, nodes })}, the registry ${JSON.stringify(truth)}`;
    report(seen);
    const counted = catalog?.repositories === truth.repositories && catalog.tags === truth.tags;
    return counted && nodes !== undefined && nodes.configured === nodes.desired;
  }).catch((cause: unknown) => {
    throw new Unmet(`Registry ${registryNamespace}/${registryName} does not show what it holds: ${seen}`, { cause });
  });
}

async function countRepositories(url: string): Promise<{ repositories: number; tags: number }> {
  const get = async <T>(path: string) => (await (await fetch(`${url}/v2/${path}`)).json()) as T;
  const { repositories } = await get<{ repositories: string[] }>('_catalog?n=1000');
  const lists = await Promise.all(
    repositories.map((name) => get<{ tags?: string[] | null }>(`${name}/tags/list?n=1000`)),
  );
  return { repositories: repositories.length, tags: lists.reduce((sum, list) => sum + (list.tags?.length ?? 0), 0) };
}
