/** What a RegistryStore does on every driver: blobs, manifests and tags. Uploads have a file of their own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '#registry/oci/digest.ts';
import { createLogger } from '#shared/logger.ts';
import { digestOf, imageManifest, pieces } from '#test/support/stored-content.ts';
import type { MakeDriver } from './driver.contract.ts';
import type { StorageDriver } from './driver.ts';
import { blobData } from './layout.ts';
import { createRegistryStore } from './registry-store.ts';
import type { RegistryStore, RepositoryStore, StoredManifest, StoreObserver } from './store.ts';

interface Fixture {
  driver: StorageDriver;
  store: RegistryStore;
  repository: RepositoryStore;
  /** What observers were told, as `event repository subject`. */
  told: string[];
}

type Contract = (title: string, check: (fixture: Fixture) => Promise<void>) => void;

export function describeStore(name: string, make: MakeDriver): void {
  const contract: Contract = (title, check) => {
    void test(`store on ${name}: ${title}`, async (t) => {
      const told: string[] = [];
      const driver = await make(t);
      const options = { driver, observers: [recorder(told)], logger: createLogger({ level: 'silent' }) };
      const store = createRegistryStore(options);
      await check({ driver, store, repository: store.repository('team/app'), told });
      await store.close();
    });
  };
  blobs(contract);
  setAside(contract);
  mounts(contract);
  manifests(contract);
  tags(contract);
  conditionalTags(contract);
}

function recorder(told: string[]): StoreObserver {
  return {
    blobCommitted: (repository, { digest, size }) => told.push(`blobCommitted ${repository} ${digest} ${size}`),
    blobRemoved: (digest) => told.push(`blobRemoved ${digest}`),
    blobUnlinked: (repository, digest) => told.push(`blobUnlinked ${repository} ${digest}`),
    manifestPut: (repository, { digest }) => told.push(`manifestPut ${repository} ${digest}`),
    manifestDeleted: (repository, digest) => told.push(`manifestDeleted ${repository} ${digest}`),
    tagSet: (repository, tag, digest) => told.push(`tagSet ${repository} ${tag} ${digest}`),
    tagDeleted: (repository, tag) => told.push(`tagDeleted ${repository} ${tag}`),
  };
}

async function push(repository: RepositoryStore, bytes: Uint8Array | string): Promise<Digest> {
  const upload = await repository.uploads.create();
  await upload.append(pieces(bytes));
  return (await upload.commit(digestOf(bytes))).digest;
}

function manifest(salt = ''): StoredManifest {
  const bytes = imageManifest('{}', salt);
  return { digest: digestOf(bytes), mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes };
}

async function put(repository: RepositoryStore, salt = '', ...tags: string[]): Promise<Digest> {
  const pushed = manifest(salt);
  assert.equal(await repository.manifests.put(pushed, { tags }), undefined);
  return pushed.digest;
}

async function content(repository: RepositoryStore, digest: Digest): Promise<Buffer | undefined> {
  const reader = await repository.blobs.open(digest);
  if (!reader) return undefined;
  const bytes = Buffer.alloc(reader.size);
  assert.equal(await reader.read(bytes, 0), reader.size);
  await reader.close();
  return bytes;
}

function blobs(contract: Contract): void {
  contract('a blob comes back byte for byte: empty, small, large', async ({ repository }) => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('{}'), Buffer.alloc(65_536, 'a'), Buffer.alloc(3_000_001, 'b')]) {
      const digest = await push(repository, bytes);
      assert.deepEqual(await repository.blobs.stat(digest), { digest, size: bytes.byteLength });
      assert.deepEqual(await content(repository, digest), bytes);
      assert.deepEqual(await content(repository, digest), bytes, 'the second time too');
    }
  });

  contract('a reader gives any part', async ({ repository }) => {
    for (const size of [1000, 200_000]) {
      const bytes = Buffer.from(Array.from({ length: size }, (_, index) => index % 251));
      const reader = await repository.blobs.open(await push(repository, bytes));
      assert.ok(reader);
      const part = Buffer.alloc(300);
      assert.equal(await reader.read(part, 500), 300);
      assert.deepEqual(part, bytes.subarray(500, 800));
      assert.equal(await reader.read(part, size - 10), 10);
      assert.equal(await reader.read(part, size), 0);
      await reader.close();
    }
  });

  contract('a small blob comes as its content', async ({ repository }) => {
    const small = await repository.blobs.open(await push(repository, 'small'));
    const large = await repository.blobs.open(await push(repository, Buffer.alloc(65_537)));
    assert.equal(small?.content?.toString(), 'small');
    assert.equal(large?.content, undefined);
    await large?.close();
  });

  contract('a blob is only in the repository to which it was pushed', async ({ store, repository }) => {
    const digest = await push(repository, 'x');
    const other = store.repository('team/other');
    assert.equal(await other.blobs.stat(digest), undefined);
    assert.equal(await other.blobs.open(digest), undefined);
    assert.equal(await repository.blobs.stat(digestOf('y')), undefined);
  });

  contract('an unlinked blob is gone from its repository alone', async ({ store, repository, told }) => {
    const digest = await push(repository, 'x');
    const other = store.repository('other');
    await push(other, 'x');
    assert.equal(await repository.blobs.unlink(digest), true);
    assert.equal(await repository.blobs.unlink(digest), false);
    assert.equal(await repository.blobs.stat(digest), undefined);
    assert.equal(await repository.blobs.open(digest), undefined);
    assert.ok(await other.blobs.stat(digest));
    assert.deepEqual(told, [
      `blobCommitted team/app ${digest} 1`,
      `blobCommitted other ${digest} 1`,
      `blobUnlinked team/app ${digest}`,
    ]);
  });

  contract('the same blob pushed many times at once is there once', async ({ repository }) => {
    const bytes = Buffer.alloc(100_000, 'z');
    const digests = await Promise.all(Array.from({ length: 10 }, () => push(repository, bytes)));
    assert.equal(new Set(digests).size, 1);
    assert.deepEqual(await content(repository, digests[0]!), bytes);
  });
}

function setAside(contract: Contract): void {
  contract('content is set aside in all repositories only while it is the same file', async (fixture) => {
    const { driver, store, repository, told } = fixture;
    const digest = await push(repository, 'x');
    const path = blobData(digest);
    const seen = (await driver.stat(path))!;
    await store.repository('team/other').blobs.mount(digest);
    assert.deepEqual(await content(repository, digest), Buffer.from('x'));
    assert.equal(await store.setAside(digest, { seen: { ...seen, size: 2 }, to: '/aside/x' }), false);
    assert.ok(await repository.blobs.stat(digest));
    assert.equal(await store.setAside(digest, { seen, to: '/aside/x' }), true);
    assert.equal(told.at(-1), `blobRemoved ${digest}`);
    for (const name of ['team/app', 'team/other']) {
      assert.equal(await store.repository(name).blobs.stat(digest), undefined);
      assert.equal(await store.repository(name).blobs.open(digest), undefined);
    }
    assert.equal((await driver.getContent('/aside/x'))?.bytes.toString(), 'x');
    assert.equal(await store.setAside(digest, { seen, to: '/aside/x' }), false);
    await push(repository, 'x');
    assert.ok(await store.repository('team/other').blobs.stat(digest));
  });
}

function mounts(contract: Contract): void {
  contract(
    'a blob is mounted from another repository, or from whichever has it',
    async ({ store, repository, told }) => {
      const digest = await push(repository, 'layer');
      for (const [name, from] of [
        ['b', 'team/app'],
        ['c', undefined],
      ] as const) {
        const target = store.repository(name);
        assert.deepEqual(await target.blobs.mount(digest, from), { digest, size: 5 });
        assert.equal((await content(target, digest))?.toString(), 'layer');
        assert.equal(told.at(-1), `blobCommitted ${name} ${digest} 5`);
      }
    },
  );

  contract('what is not there is not mounted', async ({ store, repository }) => {
    const digest = await push(repository, 'layer');
    const target = store.repository('b');
    assert.equal(await target.blobs.mount(digest, 'c'), undefined);
    assert.equal(await target.blobs.mount(digestOf('other')), undefined);
    assert.equal(await target.blobs.mount(digestOf('other'), 'team/app'), undefined);
    assert.equal(await target.blobs.stat(digest), undefined);
  });
}

function manifests(contract: Contract): void {
  contract('a manifest comes back byte for byte with its media type', async ({ store, repository }) => {
    const bytes = imageManifest('{}');
    const digest = await put(repository);
    for (let time = 0; time < 2; time++) {
      const manifest = await repository.manifests.get(digest);
      assert.deepEqual(manifest, { digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes });
    }
    assert.equal(await repository.manifests.get(digestOf('no')), undefined);
    assert.equal(await store.repository('other').manifests.get(digest), undefined);
  });

  contract('manifests are no blobs and blobs are no manifests', async ({ repository }) => {
    const digest = await put(repository);
    assert.equal(await repository.blobs.stat(digest), undefined);
    const bytes = imageManifest('{}', 'pushed as a blob');
    assert.equal(await repository.manifests.get(await push(repository, bytes)), undefined);
  });

  contract('a deleted manifest takes its tags with it and no others', async ({ repository, told }) => {
    const [one, two] = [await put(repository, '1', 'a', 'c'), await put(repository, '2', 'b')];
    told.length = 0;
    assert.equal(await repository.manifests.delete(one), true);
    assert.equal(await repository.manifests.delete(one), false);
    assert.equal(await repository.manifests.get(one), undefined);
    assert.deepEqual([await repository.tags.resolve('a'), await repository.tags.resolve('c')], [undefined, undefined]);
    assert.equal(await repository.tags.resolve('b'), two);
    assert.deepEqual(told.slice(0, 2).sort(), ['tagDeleted team/app a', 'tagDeleted team/app c']);
    assert.deepEqual(told.slice(2), [`manifestDeleted team/app ${one}`]);
  });

  contract('a manifest that was deleted can be pushed again', async ({ repository }) => {
    const digest = await put(repository);
    await repository.manifests.delete(digest);
    await put(repository);
    assert.ok(await repository.manifests.get(digest));
  });
}

function tags(contract: Contract): void {
  contract('a tag points to what it was last set to', async ({ repository, told }) => {
    assert.equal(await repository.tags.resolve('latest'), undefined);
    for (const salt of ['1', '2', '1']) {
      const digest = await put(repository, salt, 'latest');
      assert.equal(await repository.tags.resolve('latest'), digest);
      assert.equal(told.at(-1), `tagSet team/app latest ${digest}`);
    }
  });

  contract('a deleted tag leaves the manifest', async ({ repository, told }) => {
    const digest = await put(repository, '', 'v1');
    assert.equal(await repository.tags.delete('v1'), true);
    assert.equal(await repository.tags.delete('v1'), false);
    assert.equal(await repository.tags.resolve('v1'), undefined);
    assert.ok(await repository.manifests.get(digest));
    assert.equal(told.at(-1), 'tagDeleted team/app v1');
  });

  contract('manifests put with a tag and deleted at once never leave a tag to nothing', async ({ repository }) => {
    for (let round = 0; round < 20; round++) {
      const digest = await put(repository, `${round}`);
      await Promise.all([put(repository, `${round}`, 'moving'), repository.manifests.delete(digest)]);
      const left = await repository.tags.resolve('moving');
      assert.ok(left === undefined || (await repository.manifests.get(left)), `round ${round}`);
    }
  });

  contract('the storage says that it is well', async ({ store }) => {
    await store.check();
  });
}

function conditionalTags(contract: Contract): void {
  contract('tags are set on a condition: all of them or none, and nothing is stored', async ({ repository, told }) => {
    const absent = (current: string | undefined) => current === undefined;
    const [one, two] = [manifest('1'), manifest('2')];
    assert.equal(await repository.manifests.put(one, { tags: ['a', 'b'], condition: absent }), undefined);
    told.length = 0;
    const conflict = await repository.manifests.put(two, { tags: ['c', 'b'], condition: absent });
    assert.deepEqual(conflict, { tag: 'b', current: one.digest });
    assert.equal(await repository.tags.resolve('c'), undefined);
    assert.equal(await repository.manifests.get(two.digest), undefined);
    assert.deepEqual(told, []);
  });

  contract('of several that expect the same of a tag one gets its way', async ({ repository }) => {
    const pushes = [['a', 'b'], ['b', 'a'], ['b']].map((tags, i) => ({ tags, pushed: manifest(`${i}`) }));
    const condition = (current: string | undefined) => current === undefined;
    const conflicts = await Promise.all(
      pushes.map(({ tags, pushed }) => repository.manifests.put(pushed, { tags, condition })),
    );
    assert.equal(conflicts.filter((conflict) => conflict === undefined).length, 1);
    const winner = pushes[conflicts.indexOf(undefined)]?.pushed.digest;
    assert.equal(await repository.tags.resolve('b'), winner);
    assert.deepEqual(
      conflicts.filter((conflict) => conflict !== undefined).map(({ current }) => current),
      [winner, winner],
    );
  });
}
