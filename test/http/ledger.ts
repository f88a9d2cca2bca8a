/** What a registry acknowledged, and the check that it still knows. */
import assert from 'node:assert/strict';
import type { RegistryClient } from '#test/support/registry-client.ts';

interface TagHistory {
  acknowledged: string | undefined;
  /** Pushed since, not acknowledged: the registry may have it or not. */
  pending: Set<string>;
}

export interface Ledger {
  pushing(repository: string, tag: string, digest: string): void;
  acknowledged(repository: string, tag: string, digest: string): void;
  acknowledgedBlob(repository: string, digest: string): void;
  /** Every tag resolves to what was acknowledged last, or to a later push, and pulls whole; every new blob is there. */
  verify(client: RegistryClient): Promise<void>;
  /** The same, with the blobs that were verified before. Gives their number. */
  verifyAll(client: RegistryClient): Promise<number>;
}

export function createLedger(): Ledger {
  const tags = new Map<string, TagHistory>();
  const verified: BlobReference[] = [];
  let fresh: BlobReference[] = [];

  function history(repository: string, tag: string): TagHistory {
    const key = `${repository}:${tag}`;
    const known = tags.get(key) ?? { acknowledged: undefined, pending: new Set<string>() };
    tags.set(key, known);
    return known;
  }

  async function verifyTag(client: RegistryClient, reference: string, known: TagHistory): Promise<void> {
    const [repository = '', tag = ''] = reference.split(':');
    const found = (await client.manifest(repository, tag))?.digest;
    if (found === undefined) {
      assert.equal(known.acknowledged, undefined, `${reference} was acknowledged and is gone`);
      return;
    }
    assert.ok(
      found === known.acknowledged || known.pending.has(found),
      `${reference} is ${found}, which nobody pushed`,
    );
    await client.pullAll(repository, tag);
    known.acknowledged = found;
    known.pending.clear();
  }

  async function verify(client: RegistryClient): Promise<void> {
    for (const [reference, known] of tags) await verifyTag(client, reference, known);
    for (const blob of fresh) await verifyBlob(client, blob);
    verified.push(...fresh);
    fresh = [];
  }

  return {
    pushing: (repository, tag, digest) => void history(repository, tag).pending.add(digest),
    acknowledged(repository, tag, digest) {
      const known = history(repository, tag);
      known.acknowledged = digest;
      known.pending.clear();
    },
    acknowledgedBlob: (repository, digest) => void fresh.push({ repository, digest }),
    verify,
    async verifyAll(client) {
      await verify(client);
      for (const blob of verified) await verifyBlob(client, blob);
      return verified.length;
    },
  };
}

interface BlobReference {
  repository: string;
  digest: string;
}

async function verifyBlob(client: RegistryClient, { repository, digest }: BlobReference): Promise<void> {
  assert.ok(await client.blob(repository, digest), `${repository}@${digest} was acknowledged and is gone`);
}
