import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workspace } from './client.ts';

/** helm pushes charts, not images: its own small set of commands. */
export interface Helm {
  /** A packaged chart `<name>-<version>.tgz`; gives its path. */
  chart: (name: string, version: string) => Promise<string>;
  push: (archive: string, repository: string) => Promise<void>;
  /** The archive's bytes. */
  pull: (reference: string, version: string) => Promise<Buffer>;
}

export function helm({ run, folder }: Workspace): Helm {
  return {
    async chart(name, version) {
      const source = join(await folder(), name);
      await mkdir(join(source, 'templates'), { recursive: true });
      await writeFile(join(source, 'Chart.yaml'), `apiVersion: v2\nname: ${name}\nversion: ${version}\n`);
      const target = await folder();
      await run('helm', 'package', source, '--destination', target);
      return join(target, `${name}-${version}.tgz`);
    },
    async push(archive, repository) {
      await run('helm', 'push', '--plain-http', archive, `oci://${repository}`);
    },
    async pull(reference, version) {
      const target = await folder();
      await run('helm', 'pull', '--plain-http', `oci://${reference}`, '--version', version, '--destination', target);
      return readFile(join(target, `${reference.split('/').at(-1)}-${version}.tgz`));
    },
  };
}
