/** The catalog and the tags of large volumes, all pages of them. */
import { registryClient, type RegistryClient } from '#test/support/registry-client.ts';
import type { Bench } from './bench.ts';
import type { Row } from './row.ts';
import { makeRepositories, makeTags } from './tree-maker.ts';

const entries = 10_000;

export function listingRows(bench: Bench): Row[] {
  return [
    listing(bench, '_catalog of 10,000 repositories', makeRepositories, (client) => client.repositories()),
    listing(bench, 'tags/list of 10,000 tags', makeTags, (client) => client.tags('tags')),
  ];
}

/** All three read the one volume: nobody writes to it. */
function listing(
  bench: Bench,
  name: string,
  make: (root: string, count: number) => Promise<void>,
  list: (client: RegistryClient) => Promise<string[] | undefined>,
): Row {
  let volume: Promise<string> | undefined;
  const made = async () => {
    const root = await bench.folder();
    await make(root, entries);
    return root;
  };
  return {
    name,
    unit: 'lists/s',
    better: 'higher',
    cpuPer: 'list',
    async arm(kind) {
      volume ??= made();
      const server = await bench.server(kind, await volume);
      const client = registryClient(server.url);
      const count = (await list(client))?.length;
      if (count !== entries) throw new Error(`${kind} lists ${count} of ${entries}`);
      return {
        pid: server.pid,
        async run() {
          const started = performance.now();
          let lists = 0;
          while (performance.now() - started < bench.seconds * 1000) {
            await list(client);
            lists++;
          }
          return { value: lists / ((performance.now() - started) / 1000), work: lists };
        },
      };
    },
  };
}
