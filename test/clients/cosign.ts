import { join } from 'node:path';
import type { Workspace } from './client.ts';

/** cosign signs what is in a registry, with a key of its own and without the public services around it. */
export interface Cosign {
  /** Signs the manifest; `reference` names it by digest. */
  sign: (reference: string) => Promise<void>;
  /** Rejects when there is no signature of the key. */
  verify: (reference: string) => Promise<void>;
}

export async function cosign({ run, folder }: Workspace): Promise<Cosign> {
  const key = join(await folder(), 'key');
  await run('cosign', 'generate-key-pair', '--output-key-prefix', key);
  return {
    async sign(reference) {
      const offline = ['--tlog-upload=false', '--use-signing-config=false'];
      await run('cosign', 'sign', '--key', `${key}.key`, ...offline, '--allow-http-registry', '--yes', reference);
    },
    async verify(reference) {
      const offline = ['--insecure-ignore-tlog', '--private-infrastructure'];
      await run('cosign', 'verify', '--key', `${key}.pub`, ...offline, '--allow-http-registry', reference);
    },
  };
}
