import type { ListOptions, ObjectName, ResourceType } from './kube-client.ts';

/** The path of all objects of a kind, in one namespace or in all. */
export function collectionPath(type: ResourceType, namespace?: string): string {
  const root = type.apiVersion.includes('/') ? '/apis' : '/api';
  const scope = type.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}/${type.apiVersion}${scope}/${type.plural}`;
}

export function objectPath(type: ResourceType, name: ObjectName, subresource?: string): string {
  const end = subresource === undefined ? '' : `/${subresource}`;
  return `${collectionPath(type, name.namespace)}/${encodeURIComponent(name.name)}${end}`;
}

export type Query = Record<string, string | number | boolean | undefined>;

/** `?a=b&c=d`, without the undefined ones; empty when there are none. */
export function queryString(query: Query): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(key, String(value));
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}

export function selectors(options: ListOptions): Query {
  return { labelSelector: options.labelSelector, fieldSelector: options.fieldSelector };
}
