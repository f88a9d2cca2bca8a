/**
 * The one reader of paths below `/v2/`. Repository names hold slashes, and any word of an endpoint may be a part of one
 * (`a/tags/list` is a fine repository), so a path is read from its end.
 * Source: distribution-spec "Endpoints".
 */
export type Endpoint = 'base' | 'catalog' | 'tags' | 'manifest' | 'blob' | 'uploads' | 'upload' | 'referrers';

export interface Target {
  endpoint: Endpoint;
  /** The repository; not checked yet. Empty for `base` and `catalog`. */
  name: string;
  /** What the endpoint is asked about: a tag or digest, the id of an upload. Empty where there is nothing to name. */
  subject: string;
}

/** `path` is what follows `/v2/`, without query, percent-decoded. `undefined` when it is no endpoint. */
export function parsePath(path: string): Target | undefined {
  if (path === '') return { endpoint: 'base', name: '', subject: '' };
  if (path === '_catalog') return { endpoint: 'catalog', name: '', subject: '' };
  const last = path.lastIndexOf('/');
  const middle = path.lastIndexOf('/', last - 1);
  if (last <= 0 || middle <= 0) return undefined;
  return target(path, middle, path.slice(middle + 1, last), path.slice(last + 1));
}

function target(path: string, middle: number, word: string, subject: string): Target | undefined {
  const name = path.slice(0, middle);
  switch (word) {
    case 'manifests':
      return { endpoint: 'manifest', name, subject };
    case 'blobs':
      return subject === 'uploads' ? { endpoint: 'uploads', name, subject: '' } : { endpoint: 'blob', name, subject };
    case 'uploads':
      return upload(name, subject);
    case 'tags':
      return subject === 'list' ? { endpoint: 'tags', name, subject: '' } : undefined;
    case 'referrers':
      return { endpoint: 'referrers', name, subject };
    default:
      return undefined;
  }
}

function upload(before: string, subject: string): Target | undefined {
  const end = '/blobs';
  if (!before.endsWith(end)) return undefined;
  const name = before.slice(0, -end.length);
  return { endpoint: subject === '' ? 'uploads' : 'upload', name, subject };
}

/** The path of a request target without its query, percent-decoded; `undefined` when it can't be decoded. */
export function decodedPath(url: string): string | undefined {
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** The query of a request target, without the question mark. */
export function queryOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? '' : url.slice(query + 1);
}
