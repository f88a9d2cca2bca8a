import type { Readable } from 'node:stream';

/**
 * The few verbs that a level-based controller needs of the API server, on raw JSON. No typed client: it drops fields
 * that it does not know, and its lists and watches differ in shape.
 */

/** What every object has; the rest is each kind's own. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** A kind and the place where the API server serves it. */
export interface ResourceType {
  /** `v1`, `apps/v1`, `registry-operator.dev/v1alpha1`. */
  apiVersion: string;
  kind: string;
  /** Lower-case plural, the last part of the path. */
  plural: string;
  namespaced: boolean;
}

export interface ObjectName {
  /** Empty for cluster-scoped kinds. */
  namespace: string;
  name: string;
}

export interface ListOptions {
  /** All namespaces when omitted. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export interface KubeList<T> {
  items: T[];
  resourceVersion: string;
}

export interface ApplyOptions extends CallOptions {
  subresource?: 'status';
  /** Checked by the API server, stored by nobody. */
  dryRun?: boolean;
  /** Takes over fields of other managers; true unless told otherwise. */
  force?: boolean;
}

/** All methods reject with a {@link KubeError}: the server's failure, or no answer in time, or `signal` aborted. */
export interface KubeClient {
  /** `undefined` when there is no such object. */
  get<T extends KubeObject>(type: ResourceType, name: ObjectName, options?: CallOptions): Promise<T | undefined>;
  /** Everything, fetched page by page. */
  list<T extends KubeObject>(type: ResourceType, options?: ListOptions & CallOptions): Promise<KubeList<T>>;
  /** Server-side apply as field manager `registry-operator`; the object as the server stored it. */
  apply<T extends KubeObject>(type: ResourceType, object: KubeObject, options?: ApplyOptions): Promise<T>;
  create<T extends KubeObject>(type: ResourceType, object: KubeObject, options?: CallOptions): Promise<T>;
  /** Replaces; the object's resourceVersion, when set, must still be the current one. */
  replace<T extends KubeObject>(type: ResourceType, object: KubeObject, options?: CallOptions): Promise<T>;
  /** RFC 6902 or RFC 7386, by the shape of `patch`. */
  patch<T extends KubeObject>(
    type: ResourceType,
    name: ObjectName,
    patch: object[] | object,
    options?: CallOptions & { subresource?: string },
  ): Promise<T>;
  /** `false` when there was no such object; with `uid`, only that very object. Dependents go in the background by default. */
  remove(type: ResourceType, name: ObjectName, options?: RemoveOptions): Promise<boolean>;
  /**
   * A watch as the server sends it, one parsed event at a time, bookmarks too; ends when the server ends it, rejects when
   * the connection breaks or falls silent.
   */
  watch<T extends KubeObject>(
    type: ResourceType,
    options: ListOptions & { resourceVersion: string },
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
  /**
   * The body of any GET, for what is not an object: a Service reached through the API server's proxy, a log. No limit of
   * time once it has begun.
   */
  open(path: string, signal: AbortSignal): Promise<Readable>;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

export interface RemoveOptions extends CallOptions {
  uid?: string;
  propagation?: Propagation;
}

type Propagation = 'Foreground' | 'Background' | 'Orphan';

export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: T }
  | { type: 'ERROR'; object: KubeStatus };

/** The body of a failure. Source: metav1.Status. */
export interface KubeStatus {
  code?: number;
  /** CamelCase: NotFound, Conflict, Invalid, Expired... */
  reason?: string;
  message?: string;
  details?: { causes?: { field?: string; reason?: string; message?: string }[]; retryAfterSeconds?: number };
}

export class KubeError extends Error {
  /** HTTP status; 0 when no answer came. */
  readonly code: number;
  readonly reason: string;
  readonly status: KubeStatus;
  /** What the server asked for by Retry-After, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: { status: KubeStatus; retryAfterMs?: number; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'KubeError';
    this.code = options.status.code ?? 0;
    this.reason = options.status.reason ?? '';
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}
