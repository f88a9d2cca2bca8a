import { parseDigest, type Digest } from '#registry/oci/digest.ts';
import type { Logger } from '#shared/logger.ts';
import type { ByteCache } from './byte-cache.ts';
import { isSameFile, isSettled, type FileInfo, type StorageDriver } from './driver.ts';

export interface LinkReader {
  /**
   * The digest in a link file; `undefined` when it is missing or holds none (the empty file of a crash: logged). Always
   * as the disk has it: one stat tells whether what is remembered is still true, whoever changed it.
   */
  read(path: string): Promise<Digest | undefined>;
}

export interface RememberedLink {
  info: FileInfo;
  digest: Digest | undefined;
}

/** Bytes of an entry beside its path: a digest, numbers, the objects that hold them. */
const entryBytes = 400;

export function createLinkReader(driver: StorageDriver, cache: ByteCache<RememberedLink>, logger: Logger): LinkReader {
  return {
    async read(path) {
      const info = await driver.stat(path);
      if (!info || info.isDirectory) return undefined;
      const remembered = cache.get(path);
      if (remembered && isSameFile(remembered.info, info)) return remembered.digest;
      const content = await driver.getContent(path);
      if (!content) return undefined;
      const digest = parseDigest(content.bytes.toString('latin1'));
      if (!digest) logger.warn({ path, bytes: content.bytes.byteLength }, 'a link file holds no digest');
      if (isSettled(driver, content.info)) {
        cache.set(path, { info: content.info, digest }, path.length + entryBytes);
      }
      return digest;
    },
  };
}
