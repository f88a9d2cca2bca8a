/** Large blobs from a client that costs nothing, small images from skopeo. */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { digestOf, image, seededBytes } from '#test/support/content.ts';
import { writeLayout } from '#test/support/oci-layout.ts';
import { program } from '#test/support/programs.ts';
import type { Bench } from './bench.ts';
import type { Row } from './row.ts';
import { upload } from './upload.ts';

const largeBytes = 256 << 20;
const repository = 'bench/pushes';

export function pushRows(bench: Bench): Row[] {
  return [largePush(bench, 1), largePush(bench, 4), smallImages(bench, bench.seconds > 1 ? 50 : 15)];
}

/** Each push has content of its own: a blob that is there already is another measurement. */
function largePush(bench: Bench, connections: number): Row {
  const buffers: Buffer[] = [];
  let pushes = 0;
  return {
    name: `push 256 MiB, ${connections} at once`,
    unit: 'MB/s',
    better: 'higher',
    cpuPer: 'GB',
    async arm(kind) {
      const server = await bench.server(kind);
      while (buffers.length < connections) buffers.push(seededBytes(`push ${buffers.length}`, largeBytes));
      return {
        pid: server.pid,
        async run() {
          const blobs = buffers.map((bytes) => {
            bytes.writeUInt32LE(++pushes);
            return { bytes, digest: digestOf(bytes) };
          });
          const started = performance.now();
          await Promise.all(blobs.map(({ bytes, digest }) => upload(new URL(server.url), repository, bytes, digest)));
          const seconds = (performance.now() - started) / 1000;
          const done = connections * largeBytes;
          await rm(join(server.root, 'docker/registry/v2/blobs'), { recursive: true, force: true });
          return { value: done / seconds / 1e6, work: done / 1e9 };
        },
      };
    },
  };
}

function smallImages(bench: Bench, count: number): Row {
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
