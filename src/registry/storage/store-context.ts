import type { Logger } from '#shared/logger.ts';
import type { ContentCache } from './content-cache.ts';
import type { LinkReader } from './link-reader.ts';
import type { StatedSizes } from './stated-sizes.ts';
import type { UploadContext } from './uploads/upload-context.ts';
import type { UploadSessions } from './uploads/upload-sessions.ts';

/** What the stores of all repositories share. */
export interface StoreContext extends UploadContext {
  logger: Logger;
  links: LinkReader;
  contents: ContentCache;
  sizes: StatedSizes;
  sessions: UploadSessions;
}
