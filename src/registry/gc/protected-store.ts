/** The store of a registry that collects garbage while it serves: everything that a push relies on is protected first. */
import type { Digest } from '#registry/oci/digest.ts';
import type {
  BlobStore,
  ManifestStore,
  RegistryStore,
  RepositoryStore,
  Upload,
  UploadStore,
} from '#registry/storage/store.ts';
import { tagKey, type Protection } from './protection.ts';

export function protectedStore(store: RegistryStore, protection: Protection): RegistryStore {
  return { ...store, repository: (name) => protectedRepository(store.repository(name), protection) };
}

function protectedRepository(inner: RepositoryStore, protection: Protection): RepositoryStore {
  const { name } = inner;
  return {
    name,
    get blobs() {
      return protectedBlobs(inner.blobs, protection, name);
    },
    get uploads() {
      return protectedUploads(inner.uploads, protection, name);
    },
    get manifests() {
      return protectedManifests(inner.manifests, protection, name);
    },
    get tags() {
      return inner.tags;
    },
  };
}

async function holding<T>(protection: Protection, keys: string[], action: () => Promise<T>): Promise<T> {
  const release = await protection.hold(keys);
  try {
    return await action();
  } finally {
    release();
  }
}

/** A client that hears that something is here does not push it, so what it heard must stay true for a while. */
function touching<T>(protection: Protection, digest: Digest, action: () => Promise<T>): Promise<T> {
  const removal = protection.touch(digest);
  return removal ? removal.then(action) : action();
}

function protectedBlobs(inner: BlobStore, protection: Protection, name: string): BlobStore {
  return {
    stat: (digest) => touching(protection, digest, () => inner.stat(digest)),
    open: (digest) => inner.open(digest),
    mount: (digest, from) => holding(protection, [digest, name], () => inner.mount(digest, from)),
    unlink: (digest) => inner.unlink(digest),
  };
}

function protectedUploads(inner: UploadStore, protection: Protection, name: string): UploadStore {
  return {
    async create(algorithm) {
      return protectedUpload(await holding(protection, [name], () => inner.create(algorithm)), protection, name);
    },
    async get(id) {
      const upload = await inner.get(id);
      return upload && protectedUpload(upload, protection, name);
    },
  };
}

function protectedUpload(inner: Upload, protection: Protection, name: string): Upload {
  return {
    id: inner.id,
    startedAt: inner.startedAt,
    get size() {
      return inner.size;
    },
    append: (source) => inner.append(source),
    commit: (expected) => holding(protection, [expected, name], () => inner.commit(expected)),
    cancel: () => inner.cancel(),
  };
}

function protectedManifests(inner: ManifestStore, protection: Protection, name: string): ManifestStore {
  return {
    get: (digest) => touching(protection, digest, () => inner.get(digest)),
    put(manifest, options) {
      const tags = options?.tags ?? [];
      const keys = [manifest.digest, name, ...tags.map((tag) => tagKey(name, tag))];
      return holding(protection, keys, () => inner.put(manifest, options));
    },
    delete: (digest) => inner.delete(digest),
  };
}
