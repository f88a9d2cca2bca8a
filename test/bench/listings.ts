/** The catalog and the tags of large volumes, all pages of them. */
import type { Bench } from './bench.ts';
import { load } from './load.ts';
import type { Row } from './row.ts';
import { makeRepositories, makeTags } from './tree-maker.ts';

const entries = 10_000;

export function listingRows(bench: Bench): Row[] {
  return [
    listing(bench, '_catalog of 10,000 repositories, by pages of 1,000', makeRepositories, '_catalog?n=1000'),
    listing(bench, 'tags/list of 10,000 tags, all at once', makeTags, 'tags/tags/list'),
    listing(bench, 'tags/list of 10,000 tags, by pages of 1,000', makeTags, 'tags/tags/list?n=1000'),
  ];
}

/** All three read the one volume: nobody writes to it. A list is all its pages; docker-registry has none for tags and answers all of them to both. */
function listing(bench: Bench, name: string, make: (root: string, count: number) => Promise<void>, path: string): Row {
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
      const pages = await pagesOf(new URL(`/v2/${path}`, server.url));
      return {
        pid: server.pid,
        async run() {
          const { requests, seconds } = await load(pages, { connections: 1, seconds: bench.seconds });
          const lists = requests / pages.length;
          return { value: lists / seconds, work: lists };
        },
      };
    },
  };
}

/** Follows the links from page to page; throws when not everything was listed. */
async function pagesOf(first: URL): Promise<[URL, ...URL[]]> {
  const pages: [URL, ...URL[]] = [first];
  let listed = 0;
  for (let page: URL | undefined = first; page;) {
    const response: Response = await fetch(page);
    const [names] = Object.values((await response.json()) as object).filter((value) => Array.isArray(value));
    listed += names?.length ?? 0;
    const link = /<([^>]+)>/.exec(response.headers.get('link') ?? '')?.[1];
    page = link && listed < entries ? new URL(link, first) : undefined;
    if (page) pages.push(page);
  }
  if (listed !== entries) throw new Error(`${first.href} lists ${listed} of ${entries}`);
  return pages;
}
