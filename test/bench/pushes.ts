/** Large blobs from a client that costs nothing. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf, seededBytes } from '#test/support/content.ts';
import type { Bench } from './bench.ts';
import type { Row } from './row.ts';
import { upload } from './upload.ts';

const largeBytes = 256 << 20;
const repository = 'bench/pushes';

export function pushRows(bench: Bench): Row[] {
  return [largePush(bench, 1), largePush(bench, 4)];
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
