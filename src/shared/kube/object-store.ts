import type { Cache, Change, ChangeHandler } from './cache.ts';
import type { KubeObject, ObjectName } from './kube-client.ts';

/** A {@link Cache} and the hands that fill it. */
export interface ObjectStore<T extends KubeObject> extends Cache<T> {
  readonly size: number;
  put(object: T): void;
  delete(object: T): void;
  /** The whole truth, from a list: what it lacks is gone. */
  replaceAll(objects: T[]): void;
  /** Tells the handlers of every object again. */
  resync(): void;
}

/** `onThrow` hears of handlers that throw. */
export function createObjectStore<T extends KubeObject>(onThrow: (error: unknown) => void): ObjectStore<T> {
  const objects = new Map<string, T>();
  const handlers = new Set<ChangeHandler<T>>();

  const tell = (object: T, change: Change<T>): void => {
    for (const handler of handlers) {
      try {
        handler(object, change);
      } catch (error) {
        onThrow(error);
      }
    }
  };

  const remove = (key: string, last: T): void => {
    if (objects.delete(key)) tell(last, { type: 'removed' });
  };

  const put = (object: T): void => {
    const key = keyOf(object);
    const previous = objects.get(key);
    // Deleted and made again while we did not look: for those who depend on it, two events and not one.
    if (previous && previous.metadata.uid !== object.metadata.uid) {
      remove(key, previous);
      put(object);
      return;
    }
    objects.set(key, object);
    if (!previous) tell(object, { type: 'added' });
    else if (previous.metadata.resourceVersion !== object.metadata.resourceVersion) {
      tell(object, { type: 'updated', previous });
    }
  };

  return {
    get: (name) => objects.get(keyOfName(name)),
    list: () => [...objects.values()],
    get size() {
      return objects.size;
    },
    onChange(handler) {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    put,
    delete: (object) => remove(keyOf(object), object),
    replaceAll(present) {
      const keys = new Set(present.map(keyOf));
      for (const [key, object] of objects) if (!keys.has(key)) remove(key, object);
      for (const object of present) put(object);
    },
    resync() {
      for (const object of objects.values()) tell(object, { type: 'resynced' });
    },
  };
}

function keyOf({ metadata }: KubeObject): string {
  return keyOfName({ namespace: metadata.namespace ?? '', name: metadata.name });
}

function keyOfName({ namespace, name }: ObjectName): string {
  return `${namespace}/${name}`;
}
