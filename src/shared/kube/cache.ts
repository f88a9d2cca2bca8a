import type { KubeObject, ObjectName } from './kube-client.ts';

/** The last known state of all objects of one kind, kept true by a reflector (list, watch, relist). */
export interface Cache<T extends KubeObject> {
  get(name: ObjectName): T | undefined;
  list(): T[];
  /**
   * Called with each object that appeared, changed or went (its last known state), and for every object at each resync.
   * Handlers only enqueue names; one that throws is logged and hurts nobody. The returned function unsubscribes.
   */
  onChange(handler: ChangeHandler<T>): () => void;
}

export type ChangeHandler<T> = (object: T, change: Change<T>) => void;

export interface Change<T> {
  type: 'added' | 'updated' | 'removed' | 'resynced';
  /** What an updated object was before: who was concerned by that (its old owner, old labels) may be another. */
  previous?: T;
}

/** Fills a {@link Cache} until its signal aborts; survives everything that a network and an API server can do. */
export interface Reflector<T extends KubeObject> extends Cache<T> {
  /** For people: `Deployment`, `ConfigMap in team-a`. */
  readonly what: string;
  /** Resolves when `signal` aborts. To be called once. */
  run(signal: AbortSignal): Promise<void>;
  /** True after the first complete list. */
  readonly synced: boolean;
  /** Resolves at the first complete list. */
  whenSynced(): Promise<void>;
  /** Milliseconds since the server was last heard of (an event, a bookmark, a list): for health checks. */
  readonly silentMs: number;
  /** Why the last list or watch broke, until the server is heard of again. */
  readonly problem: string | undefined;
}
