import { isFailure } from './failure.ts';
import type { Call } from './json-call.ts';
import type { CallOptions, KubeList, KubeObject, ListOptions, ResourceType } from './kube-client.ts';
import { collectionPath, queryString, selectors } from './resource-path.ts';
import { withoutManagedFields } from './trim.ts';

/** As kubectl and client-go: large enough to be few requests, small enough to spare the server's memory. */
const pageSize = 500;

interface Page<T> {
  metadata: { resourceVersion: string; continue?: string };
  items: T[] | null;
}

/**
 * All objects of a kind as they were at one resourceVersion. When the server forgot the place where the next page begins
 * (410 Expired), everything is asked for again in one piece, as client-go does.
 */
export async function listPages<T extends KubeObject>(
  call: Call,
  type: ResourceType,
  options: ListOptions & CallOptions,
): Promise<KubeList<T>> {
  const base = collectionPath(type, options.namespace);
  const fetchPage = (limit?: number, next?: string): Promise<Page<T>> =>
    call<Page<T>>({
      method: 'GET',
      path: base + queryString({ ...selectors(options), limit, continue: next }),
      signal: options.signal,
    });
  let page = await fetchPage(pageSize);
  const pages = [page.items ?? []];
  while (page.metadata.continue) {
    try {
      page = await fetchPage(pageSize, page.metadata.continue);
    } catch (error) {
      if (!isFailure(error, 410)) throw error;
      pages.length = 0;
      page = await fetchPage();
    }
    pages.push(page.items ?? []);
  }
  // Items of a list leave out what the list already says.
  const { apiVersion, kind } = type;
  const items = pages.flat().map((item) => withoutManagedFields({ ...item, apiVersion, kind }));
  return { items, resourceVersion: page.metadata.resourceVersion };
}
