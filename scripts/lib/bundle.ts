import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { writeCompileCache } from './compile-cache.ts';
import { root } from './paths.ts';

/** CommonJS packages inside a module bundle ask for these three. */
const commonJs = [
  `import { createRequire as __createRequire } from 'node:module';`,
  'const require = __createRequire(import.meta.url);',
  'const __filename = import.meta.filename, __dirname = import.meta.dirname;',
].join(' ');

/**
 * Bundles the three programs into `folder`, whose content it replaces, and gives it back: `app/` with main.js, one chunk for
 * each program, so that a registry reads no line of the operator, and what V8 made of them; and `volume/`, an empty folder for
 * the image's volume. White space stays: it costs little and a stack trace then names a line that people can read.
 */
export async function bundle(folder: string = join(root, 'dist')): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'volume'), { recursive: true });
  await build({
    absWorkingDir: root,
    // A worker thread is a program of its own: src/shared/worker-url.ts finds it under the same path.
    entryPoints: [
      'src/main.ts',
      'src/registry/gc/worker.ts',
      'src/registry/auth/bcrypt-worker.ts',
      'src/registry/storage/uploads/writer-worker.ts',
    ],
    outbase: 'src',
    outdir: join(folder, 'app'),
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minifySyntax: true,
    legalComments: 'linked',
    banner: { js: commonJs },
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'warning',
  });
  // Without it Node would read each file as CommonJS first.
  await writeFile(join(folder, 'app', 'package.json'), '{"type":"module"}\n');
  await writeCompileCache(join(folder, 'app'));
  return folder;
}
