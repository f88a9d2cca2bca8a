import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { baseImage } from './base-image.ts';
import { bundle } from './bundle.ts';
import type { Engine } from './engine.ts';
import { root } from './paths.ts';
import type { Report } from './progress.ts';

/** Name of the image without its tag, the same in docker, in podman and on the nodes. */
export const repository = 'localhost/registry-operator';

/**
 * Builds the image and gives its reference. The tag names the content, so that a node or an engine that has the
 * reference has this very image, and a changed one rolls the Pods.
 */
export async function buildImage(engine: Engine, report: Report): Promise<string> {
  report('bundling');
  await bundle();
  const base = process.env['BASE'] ?? (await baseImage(engine, report));
  const reference = `${repository}:${await contentTag(base)}`;
  if (await engine.hasImage(reference)) return reference;
  report(`building on ${base}`);
  const build = ['build', '--target', 'prebuilt', '--build-arg', `BASE=${base}`, '--build-arg', `BUILDER=${base}`];
  await engine.run([...build, '-t', reference, '-t', `${repository}:${await version()}`, root], { onLine: report });
  return reference;
}

async function contentTag(base: string): Promise<string> {
  const hash = createHash('sha256').update(base);
  // V8's cache follows from the rest, and is never the same twice.
  const exclude = ['dist/app/compiled/**'];
  const files = globSync(['Dockerfile', 'image/**', 'dist/app/**'], { cwd: root, withFileTypes: true, exclude })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) hash.update(file.slice(root.length)).update(await readFile(file));
  return `${await version()}-${hash.digest('hex').slice(0, 10)}`;
}

async function version(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}
