import { readLayout } from '#test/support/oci-layout.ts';
import type { Client, Workspace } from './client.ts';

interface Referrers {
  referrers?: { artifactType: string }[];
  manifests?: { artifactType: string }[];
}

export function oras({ run, folder }: Workspace): Client {
  const lines = (text: string) => text.split('\n').filter(Boolean);

  async function push(layout: string, reference: string): Promise<string> {
    await run('oras', 'copy', '--from-oci-layout', `${layout}:latest`, '--to-plain-http', reference);
    return readLayout(layout);
  }

  async function pull(reference: string): Promise<string> {
    const target = await folder();
    await run('oras', 'copy', '--from-plain-http', reference, '--to-oci-layout', `${target}:latest`);
    return readLayout(target);
  }

  return {
    name: 'oras',
    version: () => run('oras', 'version'),
    push,
    pull,
    pushIndex: push,
    pullIndex: pull,
    tags: async (repository) => lines(await run('oras', 'repo', 'tags', '--plain-http', repository)),
    repositories: async (host) => lines(await run('oras', 'repo', 'ls', '--plain-http', host)),
    copy: async (from, to) => {
      await run('oras', 'copy', '--from-plain-http', '--to-plain-http', from, to);
    },
    remove: async (reference) => {
      await run('oras', 'manifest', 'delete', '--plain-http', '--force', reference);
    },
    attach: async (reference, artifactType, file) => {
      const name = `${file}:text/plain`;
      const flags = ['--plain-http', '--disable-path-validation', '--artifact-type', artifactType];
      await run('oras', 'attach', ...flags, reference, name);
    },
    discover: async (reference) => {
      const found = await run('oras', 'discover', '--plain-http', '--format', 'json', reference);
      const { referrers, manifests } = JSON.parse(found) as Referrers;
      return (referrers ?? manifests ?? []).map(({ artifactType }) => artifactType);
    },
  };
}
