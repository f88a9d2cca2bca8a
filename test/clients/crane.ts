import { readLayout } from '#test/support/oci-layout.ts';
import type { Client, Workspace } from './client.ts';

export function crane({ run, folder }: Workspace): Client {
  const crane = (command: string, ...args: string[]) => run('crane', command, '--insecure', ...args);
  const lines = (text: string) => text.split('\n').filter(Boolean);

  async function push(...args: string[]): Promise<string> {
    const pushed = await crane('push', ...args);
    return pushed.trim().slice(pushed.indexOf('@') + 1);
  }

  async function pull(reference: string): Promise<string> {
    const target = await folder();
    await crane('pull', '--format=oci', reference, target);
    return readLayout(target);
  }

  return {
    name: 'crane',
    version: () => run('crane', 'version'),
    push: (layout, reference) => push(layout, reference),
    pull,
    pushIndex: (layout, reference) => push('--index', layout, reference),
    pullIndex: pull,
    tags: async (repository) => lines(await crane('ls', repository)),
    repositories: async (host) => lines(await crane('catalog', host)),
    copy: async (from, to) => {
      await crane('copy', from, to);
    },
    remove: async (reference) => {
      await crane('delete', reference);
    },
  };
}
