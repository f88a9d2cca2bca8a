/** Manifests, small blobs, and downloads. */
import { content, image, mediaTypes, seededBytes } from '#test/support/content.ts';
import { registryClient } from '#test/support/registry-client.ts';
import type { RegistryKind, TestRegistry } from '#test/support/registry.ts';
import type { Bench } from './bench.ts';
import { load, type LoadOptions } from './load.ts';
import type { Arm, Row } from './row.ts';
import { upload } from './upload.ts';

const repository = 'bench/reads';
const example = image('bench', { layers: [100_000, 100_000] });
const smallBlob = content(mediaTypes.layer, seededBytes('small', 2048));
const largeBytes = 256 << 20;

export function readRows(bench: Bench): Row[] {
  const filled = new Map<RegistryKind, Promise<TestRegistry>>();

  function server(kind: RegistryKind): Promise<TestRegistry> {
    const known = filled.get(kind) ?? fill(bench, kind);
    filled.set(kind, known);
    return known;
  }

  function requests(name: string, path: string, options: LoadOptions): Row {
    return {
      name,
      unit: 'req/s',
      better: 'higher',
      cpuPer: 'request',
      async arm(kind): Promise<Arm> {
        const { url, pid } = await server(kind);
        const target = new URL(`/v2/${repository}/${path}`, url);
        return {
          pid,
          async run() {
            const { requests, seconds, p99 } = await load(target, { ...options, seconds: bench.seconds });
            return { value: requests / seconds, work: requests, p99: p99 / 1000 };
          },
        };
      },
    };
  }

  const manifest = (reference: string) => `manifests/${reference}`;
  return [
    requests('manifest by tag, 1 connection', manifest('latest'), { connections: 1 }),
    requests('manifest by tag, 16 connections', manifest('latest'), { connections: 16 }),
    requests('manifest by tag, 64 connections', manifest('latest'), { connections: 64 }),
    requests('manifest by digest, 16 connections', manifest(example.manifest.digest), { connections: 16 }),
    requests('HEAD small blob, 16 connections', `blobs/${smallBlob.digest}`, { method: 'HEAD', connections: 16 }),
    requests('GET small blob, 16 connections', `blobs/${smallBlob.digest}`, { connections: 16 }),
    ...[1, 4, 16].map((connections) => download(bench, connections, server)),
  ];
}

function download(bench: Bench, connections: number, server: (kind: RegistryKind) => Promise<TestRegistry>): Row {
  return {
    name: `GET 256 MiB, ${connections} at once`,
    unit: 'MB/s',
    better: 'higher',
    cpuPer: 'GB',
    async arm(kind): Promise<Arm> {
      const { url, pid } = await server(kind);
      const { bytes, digest } = largeBlob();
      const target = new URL(`/v2/${repository}/blobs/${digest}`, url);
      const { status } = await fetch(target, { method: 'HEAD' });
      if (status !== 200) await upload(new URL(url), repository, bytes, digest);
      return {
        pid,
        async run() {
          const requests = Math.max(connections, Math.round(bench.seconds * 6));
          const { bytes, seconds } = await load(target, { connections, requests });
          return { value: bytes / seconds / 1e6, work: bytes / 1e9 };
        },
      };
    },
  };
}

let large: ReturnType<typeof content> | undefined;

/** Made when it is asked for: a quarter of a gigabyte takes its time. */
function largeBlob() {
  large ??= content(mediaTypes.layer, seededBytes('large', largeBytes));
  return large;
}

async function fill(bench: Bench, kind: RegistryKind): Promise<TestRegistry> {
  const server = await bench.server(kind);
  const client = registryClient(server.url);
  await client.pushImage(repository, example, 'latest');
  await client.pushBlob(repository, smallBlob.bytes, smallBlob.digest);
  return server;
}
