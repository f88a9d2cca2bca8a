import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { mediaTypes } from '#test/support/content.ts';

const execute = promisify(execFile);
const source = join(import.meta.dirname, 'client', 'load.c');

export interface LoadOptions {
  method?: 'GET' | 'HEAD';
  connections: number;
  /** Either the one or the other. */
  seconds?: number;
  requests?: number;
}

export interface LoadResult {
  requests: number;
  errors: number;
  /** Of bodies. */
  bytes: number;
  seconds: number;
  /** Microseconds. */
  p50: number;
  p99: number;
}

/** Runs the load generator against one URL, or several of one server in turn; rejects when an answer was not 200. */
export async function load(urls: URL | [URL, ...URL[]], options: LoadOptions): Promise<LoadResult> {
  const { method = 'GET', connections, seconds = 0, requests = 0 } = options;
  // Without the OCI types in Accept the peers answer 404 to OCI manifests.
  const accept = `Accept: ${Object.values(mediaTypes).join(', ')}`;
  const [url, ...others] = Array.isArray(urls) ? urls : [urls];
  const paths = [url, ...others].map(({ pathname, search }) => pathname + search);
  const target = [url.hostname, url.port, method, paths.join(' ')];
  const { stdout } = await execute(await loadProgram(), [
    ...target,
    ...[connections, seconds, requests].map(String),
    accept,
  ]);
  const result = JSON.parse(stdout) as LoadResult;
  if (result.errors > 0) throw new Error(`${result.errors} of ${result.requests} answers of ${url.href} are not 200`);
  return result;
}

let built: Promise<string> | undefined;

function loadProgram(): Promise<string> {
  built ??= build();
  return built;
}

/** Compiled once for each state of its source. */
async function build(): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(source))
    .digest('hex')
    .slice(0, 12);
  const folder = join(homedir(), '.cache', 'registry-operator', 'programs');
  const target = join(folder, `load-${hash}`);
  try {
    await access(target);
  } catch {
    await mkdir(folder, { recursive: true });
    await execute('cc', ['-O2', '-o', `${target}.${process.pid}`, source]).catch((error: unknown) => {
      throw new Error('the load generator could not be compiled: install a C compiler (cc)', { cause: error });
    });
    await rename(`${target}.${process.pid}`, target);
  }
  return target;
}
