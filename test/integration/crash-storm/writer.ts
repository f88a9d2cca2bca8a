/** A client that does everything that changes a registry, in an order that a seed decides, until the server is gone. */
import { content, image, index, mediaTypes, seededBytes, type Content, type Image } from '#test/support/content.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { missing, type Ledger, type Thing } from './ledger.ts';
import { uploadsTo, type LeftUpload } from './uploads.ts';

export interface WriterOptions {
  /** `http://127.0.0.1:<port>` */
  url: string;
  ledger: Ledger;
  repository: string;
  /** Part of the names of its tags, which no other writer has. */
  name: string;
  /** Milliseconds that a push may take before its blobs may be collected. */
  minimumAgeMs: number;
  /** Refusals after which a client begins again, by the text of the answer. */
  triesAgain?: RegExp;
}

export interface Writer {
  /** Resolves when the server is gone, or `signal` aborts; rejects when it refuses something. `seed` names the content. */
  run(random: () => number, seed: string, signal?: AbortSignal): Promise<void>;
}

const tagsOfEach = 4;

/** A layer of every image, as a base image is: large enough to be served from the disk. */
const base = content(mediaTypes.layer, seededBytes('base', 100_000));

export function createWriter(options: WriterOptions): Writer {
  const { url, ledger, repository, name, minimumAgeMs, triesAgain = /^$/ } = options;
  const client = registryClient(url);
  const uploads = uploadsTo(url);
  let left: LeftUpload | undefined;

  const thing = (kind: Thing['kind'], reference: string): Thing => ({ kind, repository, reference });

  async function pushBlob(random: () => number, { bytes, digest }: Content): Promise<void> {
    await ledger.changing([thing('blob', digest)], digest, async () => {
      const way = random();
      if (way < 0.3) return uploads.single(repository, bytes, digest);
      if (way < 0.6) return client.pushBlob(repository, bytes, digest);
      const upload = await uploads.begin(repository, bytes, digest);
      await uploads.send(upload, Math.ceil(bytes.length / 2));
      if (bytes.length > upload.acknowledged) await uploads.send(upload, bytes.length);
      return uploads.finish(upload);
    });
  }

  /** As real clients do: a look first, a mount next, a push when neither helps. */
  async function pushBase(random: () => number): Promise<void> {
    if (await uploads.has(repository, base.digest)) return;
    const mounted = await client.mount(repository, base.digest, `storm/repository-${Math.floor(random() * 3)}`);
    if (!mounted) await pushBlob(random, base);
  }

  async function pushBlobs(random: () => number, { blobs }: Image): Promise<void> {
    for (const blob of blobs) {
      if (blob.digest === base.digest) await pushBase(random);
      else await pushBlob(random, blob);
    }
  }

  async function pushManifest(manifest: Content, tag?: string): Promise<void> {
    const things = [thing('manifest', manifest.digest), ...(tag === undefined ? [] : [thing('tag', tag)])];
    await ledger.changing(things, manifest.digest, () => client.pushManifest(repository, manifest, tag));
  }

  const make = (seed: string): Image => image(seed, { layers: [500, 40_000], shared: [base] });
  const tagOf = (random: () => number) => `${name}-${Math.floor(random() * tagsOfEach)}`;

  async function pushImage(random: () => number, seed: string): Promise<void> {
    const pushed = make(seed);
    await pushBlobs(random, pushed);
    await pushManifest(pushed.manifest, tagOf(random));
  }

  async function pushIndex(random: () => number, seed: string): Promise<void> {
    const images = [make(`${seed}/0`), make(`${seed}/1`)];
    for (const child of images) {
      await pushBlobs(random, child);
      await pushManifest(child.manifest);
    }
    await pushManifest(index(images), tagOf(random));
  }

  async function deleteTag(random: () => number): Promise<void> {
    const tag = tagOf(random);
    if (!ledger.tags(repository).some(([known]) => known === tag)) return;
    await ledger.changing([thing('tag', tag)], missing, () => client.deleteManifest(repository, tag));
  }

  /** With all tags that point to it. */
  async function deleteManifest(random: () => number): Promise<void> {
    const tags = ledger.tags(repository);
    const chosen = tagOf(random);
    const [, digest] = tags.find(([tag]) => tag === chosen) ?? [];
    if (digest === undefined) return;
    const gone = tags.filter(([, pointsTo]) => pointsTo === digest).map(([tag]) => thing('tag', tag));
    await ledger.changing([...gone, thing('manifest', digest)], missing, () =>
      client.deleteManifest(repository, digest),
    );
  }

  async function pushAndDeleteBlob(random: () => number, seed: string): Promise<void> {
    const blob = content(mediaTypes.layer, seededBytes(seed, 3000));
    await pushBlob(random, blob);
    await ledger.changing([thing('blob', blob.digest)], missing, () => client.deleteBlob(repository, blob.digest));
  }

  /** The upload of an earlier round goes on where it was; a new one is left in the middle now and then. */
  async function upload(random: () => number, seed: string): Promise<void> {
    if (!left) {
      const { bytes, digest } = content(mediaTypes.layer, seededBytes(seed, 200_000));
      left = await uploads.begin(repository, bytes, digest);
    } else if (!(await uploads.resume(left))) {
      left = undefined;
      return;
    }
    const going = left;
    const { bytes, digest } = going;
    const middle = going.acknowledged + Math.ceil((bytes.length - going.acknowledged) / 2);
    if (middle > going.acknowledged) await uploads.send(going, middle);
    if (random() < 0.5) return;
    if (bytes.length > going.acknowledged) await uploads.send(going, bytes.length);
    await ledger.changing([thing('blob', digest)], digest, () => uploads.finish(going));
    left = undefined;
  }

  async function act(random: () => number, seed: string): Promise<void> {
    const choice = random();
    if (choice < 0.5) await pushImage(random, seed);
    else if (choice < 0.65) await pushIndex(random, seed);
    else if (choice < 0.75) await deleteTag(random);
    else if (choice < 0.82) await deleteManifest(random);
    else if (choice < 0.88) await pushAndDeleteBlob(random, seed);
    else await upload(random, seed);
  }

  return {
    async run(random, seed, signal) {
      for (let count = 0; ; count++) {
        if (signal?.aborted) return;
        const begun = performance.now();
        try {
          await act(random, `${seed}/${name}/${count}`);
        } catch (error) {
          // fetch throws a TypeError when the connection is gone.
          if (error instanceof TypeError) return;
          if (triesAgain.test((error as Error).message)) continue;
          // A machine that is too busy for a push within the minimum age has its blobs collected: it begins again.
          if (performance.now() - begun < minimumAgeMs) throw error;
        }
      }
    },
  };
}
