import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Readable } from 'node:stream';
import { debugPort } from '#operator/api/names.ts';
import type { Service } from '#operator/children/kinds.ts';
import type { KubeClient } from '#shared/kube/kube-client.ts';

const path = '/debug/usage?watch=true';

/** How the operator reaches the debug port of registries. */
export interface UsageAccess {
  /** The place for {@link open}; `undefined` while the metrics Service has no address. */
  addressOf(metricsService: Service): string | undefined;
  open: (address: string, signal: AbortSignal) => Promise<Readable>;
}

/** From within the cluster: by the cluster IP, which needs no DNS. */
export const directAccess: UsageAccess = {
  addressOf({ spec: { clusterIP } }) {
    if (!clusterIP || clusterIP === 'None') return undefined;
    return `http://${isIPv6(clusterIP) ? `[${clusterIP}]` : clusterIP}:${debugPort}${path}`;
  },
  async open(address, signal) {
    const request = get(address, { signal, agent: false });
    // After the response, what breaks is told by the response.
    request.on('error', () => {});
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    if (response.statusCode === 200) return response;
    response.destroy();
    throw new Error(`the registry answered ${response.statusCode}`);
  },
};

/** From outside of it, as in development: through the API server, with the rights of whoever runs the operator. */
export function proxiedAccess(client: KubeClient): UsageAccess {
  return {
    addressOf: ({ metadata: { namespace, name } }) =>
      `/api/v1/namespaces/${namespace}/services/http:${name}:debug/proxy${path}`,
    open: (address, signal) => client.open(address, signal),
  };
}
