import { randomUUID } from 'node:crypto';
import type { DigestAlgorithm } from '#registry/oci/digest.ts';
import {
  formatStartedAt,
  isUploadId,
  parseStartedAt,
  uploadDirectory,
  uploadStartedAt,
} from '#registry/storage/layout.ts';
import type { StoreContext } from '#registry/storage/store-context.ts';
import type { Upload, UploadStore } from '#registry/storage/store.ts';
import { UploadSession, type UploadIdentity } from './upload-session.ts';

export function createUploadStore(context: StoreContext, repository: string): UploadStore {
  const { driver, sessions } = context;
  const keyOf = (id: string) => `${repository} ${id}`;
  const open = (identity: UploadIdentity) =>
    new UploadSession(context, identity, () => sessions.remove(keyOf(identity.id)));

  async function create(algorithm: DigestAlgorithm = 'sha256'): Promise<Upload> {
    const id = randomUUID();
    const startedAt = new Date(Math.floor(Date.now() / 1000) * 1000);
    try {
      await writeStartedAt(id, startedAt);
    } catch (error) {
      await driver.delete(uploadDirectory(repository, id), { lazily: true }).catch(() => {});
      throw error;
    }
    const session = open({ repository, id, startedAt, algorithm, isOurs: true });
    sessions.add(keyOf(id), session);
    return session;
  }

  /** Not synced: an upload that a power failure takes away is begun again, and only commits are promised to last. */
  async function writeStartedAt(id: string, startedAt: Date): Promise<void> {
    const writer = await driver.append(uploadStartedAt(repository, id));
    try {
      await writer.write([Buffer.from(formatStartedAt(startedAt), 'latin1')]);
    } finally {
      await writer.close();
    }
  }

  async function get(id: string): Promise<Upload | undefined> {
    if (!isUploadId(id)) return undefined;
    const session = sessions.get(keyOf(id));
    if (!session) return resume(id);
    // Another replica may have committed or cancelled it.
    if (!(await driver.stat(uploadStartedAt(repository, id)))) {
      session.end();
      return undefined;
    }
    await session.refresh();
    return session;
  }

  async function resume(id: string): Promise<Upload | undefined> {
    const content = await driver.getContent(uploadStartedAt(repository, id));
    if (!content) return undefined;
    // A crash may have left the file empty; then its own time says the same.
    const startedAt = parseStartedAt(content.bytes.toString('latin1')) ?? new Date(content.info.modifiedMs);
    const session = open({ repository, id, startedAt, algorithm: 'sha256', isOurs: false });
    await session.refresh();
    const earlier = sessions.get(keyOf(id));
    if (earlier) return earlier;
    sessions.add(keyOf(id), session);
    return session;
  }

  return { create, get };
}
