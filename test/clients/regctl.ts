import { readLayout } from '#test/support/oci-layout.ts';
import type { Client, Workspace } from './client.ts';

export function regctl({ run, folder }: Workspace, host: string): Client {
  const regctl = (...args: string[]) => run('regctl', '--host', `reg=${host},tls=disabled`, ...args);
  const lines = (text: string) => text.split('\n').filter(Boolean);

  async function copy(from: string, to: string): Promise<void> {
    await regctl('image', 'copy', from, to);
  }

  async function push(layout: string, reference: string): Promise<string> {
    await copy(`ocidir://${layout}:latest`, reference);
    return readLayout(layout);
  }

  async function pull(reference: string): Promise<string> {
    const target = await folder();
    await copy(reference, `ocidir://${target}:latest`);
    return readLayout(target);
  }

  return {
    name: 'regctl',
    version: () => run('regctl', 'version', '--format', '{{.VCSTag}}'),
    push,
    pull,
    pushIndex: push,
    pullIndex: pull,
    tags: async (repository) => lines(await regctl('tag', 'ls', repository)),
    repositories: async (host) => lines(await regctl('repo', 'ls', host)),
    copy,
    remove: async (reference) => {
      await regctl('tag', 'delete', reference);
    },
    attach: async (reference, artifactType, file) => {
      await regctl('artifact', 'put', '--subject', reference, '--artifact-type', artifactType, '--file', file);
    },
    discover: async (reference) => {
      const found = await regctl('artifact', 'list', '--format', '{{json .Descriptors}}', reference);
      return (JSON.parse(found) as { artifactType: string }[]).map(({ artifactType }) => artifactType);
    },
  };
}
