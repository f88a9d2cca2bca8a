/** The catalog and the tags of large volumes, all pages of them. */
import type { Bench } from './bench.ts';
import { load } from './load.ts';
import type { Row } from './row.ts';
import { makeRepositories, makeTags } from './tree-maker.ts';

const entries = 10_000;

export function listingRows(bench: Bench): Row[] {
  return [
    listing(bench, '_catalog of 10,000 repositories', makeRepositories, '_catalog'),
    listing(bench, 'tags/list of 10,000 tags', makeTags, 'tags/tags/list'),
  ];
}

/** All three read the one volume: nobody writes to it. A list is all its pages, of 1,000 where the registry has pages. */
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
      const pages = await pagesOf(new URL(`/v2/${path}?n=1000`, server.url));
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
