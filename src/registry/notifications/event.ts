/**
 * What happened, in the words of distribution's envelope `application/vnd.docker.distribution.events.v2+json`.
 * Source: distribution, notifications/event.go; the order of the fields is that of its JSON.
 */
export const eventsMediaType = 'application/vnd.docker.distribution.events.v2+json';

export type Action = 'pull' | 'push' | 'mount' | 'delete';

export interface Target {
  /** Empty for what was deleted, like the digest of a tag. */
  mediaType: string;
  digest: string;
  /** Bytes. */
  size: number;
  /** The same as `size`; absent when it is 0. */
  length?: number;
  repository: string;
  /** Of a mount. */
  fromRepository?: string;
  url?: string;
  tag?: string;
  /** Descriptors, where `notifications.events.includereferences` asks for them. */
  references?: object[];
}

export interface RequestRecord {
  id: string;
  /** Of the client, with its port where no proxy stands between. */
  addr: string;
  /** As the client called us. */
  host: string;
  method: string;
  useragent: string;
}

/** What the HTTP side knows of it. */
export interface Occurrence {
  action: Action;
  target: Target;
  request: RequestRecord;
  /** Absent without authentication. */
  actor?: string;
}

export interface Source {
  /** Host and port of this registry. */
  addr: string;
  /** Another one after each start. */
  instanceID: string;
}

export interface Event {
  id: string;
  /** RFC 3339. */
  timestamp: string;
  action: Action;
  target: Target;
  request: RequestRecord;
  actor: { name?: string };
  source: Source;
}

export interface EventSink {
  /** Resolves when the event will survive the end of the process. Never rejects: a push does not fail for a webhook. */
  publish(occurrence: Occurrence): Promise<void>;
}
