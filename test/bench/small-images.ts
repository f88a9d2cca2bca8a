/** Small images: the requests that a client makes, and all that a real one does around them. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { image } from '#test/support/content.ts';
import { writeLayout } from '#test/support/oci-layout.ts';
import { program } from '#test/support/programs.ts';
import type { Bench } from './bench.ts';
import type { Row } from './row.ts';
import { openConnection, type Connection } from './upload.ts';

export function smallImageRows(bench: Bench): Row[] {
  return [byRequests(bench, 1), byRequests(bench, 4), bySkopeo(bench, bench.seconds > 1 ? 50 : 15)];
}

/** Of each image two layers and the config, all new, and the manifest by tag; over one connection a client, kept alive. */
function byRequests(bench: Bench, clients: number): Row {
  let made = 0;
  return {
    name: `small images by requests, ${clients} at once`,
    unit: 'images/s',
    better: 'higher',
    cpuPer: 'image',
    async arm(kind) {
      const server = await bench.server(kind);
      return {
        pid: server.pid,
        async run() {
          const connections = await Promise.all(
            Array.from({ length: clients }, () => openConnection(new URL(server.url))),
          );
          const started = performance.now();
          const until = started + bench.seconds * 1000;
          const pushed = await Promise.all(
            connections.map(async (connection, client) => {
              let images = 0;
              for (; performance.now() < until; images++) await push(connection, `bench/${clients}-${client}`, made++);
              connection.close();
              return images;
            }),
          );
          const images = pushed.reduce((sum, count) => sum + count, 0);
          return { value: images / ((performance.now() - started) / 1000), work: images };
        },
      };
    },
  };
}

async function push(connection: Connection, repository: string, number: number): Promise<void> {
  const { blobs, manifest } = image(`${repository}/${number}`, { layers: [4000, 8000] });
  for (const { bytes, digest } of blobs) await connection.offerBlob(repository, bytes, digest);
  await connection.pushManifest(repository, `v${number}`, manifest);
}

/** A process for each image, which is what takes most of the time. */
function bySkopeo(bench: Bench, count: number): Row {
  let runs = 0;
  return {
    name: `${count} small images by skopeo, one after the other`,
    unit: 'images/s',
    better: 'higher',
    cpuPer: 'image',
    async arm(kind) {
      const server = await bench.server(kind);
      const skopeo = await program('skopeo');
      return {
        pid: server.pid,
        async run() {
          const folder = await bench.folder();
          const run = runs++;
          for (let i = 0; i < count; i++) {
            await writeLayout(join(folder, String(i)), [image(`skopeo/${run}/${i}`, { layers: [100_000] })]);
          }
          const started = performance.now();
          for (let i = 0; i < count; i++) {
            const source = `oci:${join(folder, String(i))}:latest`;
            const target = `docker://${server.host}/bench/small-${i}:${run}`;
            const flags = ['--insecure-policy', 'copy', '--quiet', '--dest-tls-verify=false'];
            await promisify(execFile)(skopeo, [...flags, source, target]);
          }
          return { value: count / ((performance.now() - started) / 1000), work: count };
        },
      };
    },
  };
}
