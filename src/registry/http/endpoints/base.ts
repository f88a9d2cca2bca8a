import type { Methods } from '#registry/http/exchange.ts';

/** `GET /v2/`: that this is a registry (distribution-spec end-1). */
export const baseEndpoint: Methods = {
  GET: async () => ({ status: 200, headers: { 'Content-Type': 'application/json' }, body: '{}' }),
};
