/**
 * What `npm run up` made, so that `npm run down` removes that and nothing else. A line is written before the thing is made:
 * whatever was interrupted is still known to be ours.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cache } from './paths.ts';

export interface Made {
  /** The kind cluster; `incomplete` until it was ready once. */
  cluster?: { name: string; incomplete: boolean };
  /** Namespace of the operator. */
  namespace?: string;
  /** The CustomResourceDefinitions, by name. */
  crds?: string[];
  /** The Helm release. */
  release?: string;
  /** The Registry of examples/registry.yaml, with its namespace. */
  registry?: { namespace: string; name: string };
}

const fileOf = (context: string): string => join(cache, 'made', `${encodeURIComponent(context)}.json`);

export async function readMade(context: string): Promise<Made> {
  try {
    return JSON.parse(await readFile(fileOf(context), 'utf8')) as Made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

export async function noteMade(context: string, change: Made): Promise<void> {
  await mkdir(join(cache, 'made'), { recursive: true });
  await writeFile(fileOf(context), JSON.stringify({ ...(await readMade(context)), ...change }));
}

export async function forgetMade(context: string): Promise<void> {
  await rm(fileOf(context), { force: true });
}
