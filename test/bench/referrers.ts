/** What points at an image: asked of ours by the endpoint, of the peers, which have none, by the tag that clients keep in its place. */
import { fallbackTag } from '#registry/catalog/referrers.ts';
import type { Digest } from '#registry/oci/digest.ts';
import { mediaTypes } from '#test/support/content.ts';
import type { Bench } from './bench.ts';
import { load } from './load.ts';
import type { Row } from './row.ts';
import { makeReferrers } from './tree-maker.ts';

const images = 3333;
const repository = 'signed';
const connections = 16;

export function referrerRows(bench: Bench): Row[] {
  let volume: Promise<{ root: string; digests: Digest[] }> | undefined;
  const made = async () => {
    const root = await bench.folder();
    return { root, digests: await makeReferrers(root, repository, images) };
  };
  return [
    {
      name: 'referrers of one of 3,333 images with two each, 16 connections',
      unit: 'req/s',
      better: 'higher',
      cpuPer: 'request',
      async arm(kind) {
        volume ??= made();
        const { root, digests } = await volume;
        const server = await bench.server(kind, root);
        const path = (digest: Digest) => (kind === 'ours' ? `referrers/${digest}` : `manifests/${fallbackTag(digest)}`);
        const [first, ...others] = digests
          .slice(0, 100)
          .map((digest) => new URL(`/v2/${repository}/${path(digest)}`, server.url));
        if (!first) throw new Error('no images');
        await verify(first);
        return {
          pid: server.pid,
          async run() {
            const options = { connections, seconds: bench.seconds };
            const { requests, seconds, p99 } = await load([first, ...others], options);
            return { value: requests / seconds, work: requests, p99: p99 / 1000 };
          },
        };
      },
    },
  ];
}

/** Throws when not both are listed. */
async function verify(url: URL): Promise<void> {
  const response = await fetch(url, { headers: { accept: mediaTypes.index } });
  const { manifests } = (await response.json()) as { manifests?: unknown[] };
  if (manifests?.length !== 2) throw new Error(`${url.href} does not list two referrers`);
}
