import type { UploadSession } from './upload-session.ts';

/**
 * The uploads that this process has touched, so that their running hashes go on from one request to the next. Everything
 * else about an upload is on disk: one that is forgotten here is read again, and hashed again when it is committed.
 */
export interface UploadSessions {
  get(key: string): UploadSession | undefined;
  add(key: string, session: UploadSession): void;
  remove(key: string): void;
}

/** Idle ones beyond this number are forgotten, the oldest first. */
const remembered = 1024;

export function createUploadSessions(): UploadSessions {
  const sessions = new Map<string, UploadSession>();
  return {
    get: (key) => sessions.get(key),
    add(key, session) {
      sessions.set(key, session);
      if (sessions.size <= remembered) return;
      for (const [oldest, session] of sessions) {
        if (session.busy) continue;
        session.forget();
        sessions.delete(oldest);
        break;
      }
    },
    remove: (key) => sessions.delete(key),
  };
}
