/**
 * Where the program of a worker thread is, `registry/gc/worker` for src/registry/gc/worker.ts. From the sources it is that
 * file; in the bundle (scripts/lib/bundle.ts names each worker as an entry) it stands under the same path beside main.js.
 */
export function workerUrl(program: string): URL {
  const fromSources = import.meta.url.endsWith('.ts');
  return new URL(fromSources ? `../${program}.ts` : `./${program}.js`, import.meta.url);
}
