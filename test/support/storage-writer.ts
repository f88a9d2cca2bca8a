/**
 * A program that pushes images into a volume until it is killed: `storage-writer.ts <root> <seed>`. It says on standard
 * output what it is about to do (`try`) and what has been done (`done`), each line before it goes on.
 */
import { writeSync } from 'node:fs';
import { createFilesystemDriver } from '#registry/storage/drivers/filesystem.ts';
import { createRegistryStore } from '#registry/storage/registry-store.ts';
import type { RepositoryStore } from '#registry/storage/store.ts';
import { createLogger } from '#shared/logger.ts';
import { seededRandom } from './random.ts';
import { digestOf, imageManifest, pieces } from './stored-content.ts';

const [root = '', seed = '0'] = process.argv.slice(2);
const say = (...words: string[]) => writeSync(1, `${words.join(' ')}\n`);

async function pushBlob(repository: RepositoryStore, bytes: Buffer): Promise<void> {
  const upload = await repository.uploads.create();
  await upload.append(pieces(bytes, 10_000));
  const { digest } = await upload.commit(digestOf(bytes));
  say('done', 'blob', digest);
}

async function pushImage(repository: RepositoryStore, tag: string, name: string, size: number): Promise<void> {
  await pushBlob(repository, Buffer.alloc(size, name));
  const bytes = imageManifest('{}', name);
  const digest = digestOf(bytes);
  say('try', tag, digest);
  await repository.manifests.put(
    { digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes },
    { tags: [tag] },
  );
  say('done', 'manifest', digest);
  say('done', tag, digest);
}

async function writer(repository: RepositoryStore, number: number): Promise<never> {
  const random = seededRandom(Number(seed) * 10 + number);
  for (let count = 0; ; count++) {
    const size = Math.floor(random() * 200_000);
    // Some blobs are the same for all writers, some tags move.
    const name = random() < 0.3 ? `shared-${count}` : `${seed}-${number}-${count}`;
    await pushImage(repository, `tag-${number}-${count % 3}`, name, size);
  }
}

const driver = createFilesystemDriver({ rootDirectory: root });
const store = createRegistryStore({ driver, logger: createLogger({ level: 'silent' }) });
say('ready');
await Promise.all([0, 1, 2].map((number) => writer(store.repository('storm'), number)));
