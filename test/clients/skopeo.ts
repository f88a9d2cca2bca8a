import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readLayout } from '#test/support/oci-layout.ts';
import type { Client, Workspace } from './client.ts';

export function skopeo({ run, folder }: Workspace): Client {
  const copy = (...args: string[]) =>
    run('skopeo', 'copy', '--quiet', '--src-tls-verify=false', '--dest-tls-verify=false', ...args);

  async function push(layout: string, reference: string, ...flags: string[]): Promise<string> {
    const digestFile = join(await folder(), 'digest');
    await copy('--digestfile', digestFile, ...flags, `oci:${layout}:latest`, `docker://${reference}`);
    return readFile(digestFile, 'utf8');
  }

  async function pull(reference: string, ...flags: string[]): Promise<string> {
    const target = await folder();
    await copy(...flags, `docker://${reference}`, `oci:${target}:latest`);
    return readLayout(target);
  }

  return {
    name: 'skopeo',
    version: () => run('skopeo', '--version'),
    push: (layout, reference) => push(layout, reference),
    pull: (reference) => pull(reference),
    pushIndex: (layout, reference) => push(layout, reference, '--all'),
    pullIndex: (reference) => pull(reference, '--all'),
    tags: async (repository) => {
      const listed = await run('skopeo', 'list-tags', '--tls-verify=false', `docker://${repository}`);
      return (JSON.parse(listed) as { Tags: string[] }).Tags;
    },
    copy: async (from, to) => {
      await copy(`docker://${from}`, `docker://${to}`);
    },
    remove: async (reference) => {
      await run('skopeo', 'delete', '--tls-verify=false', `docker://${reference}`);
    },
  };
}
