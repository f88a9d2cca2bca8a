/** The registry's app with real stores in memory, for tests that send it requests without a port. */
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { buildApp, type AppDeps, type AppOptions } from '#registry/app.ts';
import type { Authenticator } from '#registry/auth/authenticator.ts';
import { createCatalog } from '#registry/catalog/create-catalog.ts';
import type { Catalog } from '#registry/catalog/catalog.ts';
import { createReferrers } from '#registry/catalog/referrers.ts';
import { protectedStore } from '#registry/gc/protected-store.ts';
import type { Protection } from '#registry/gc/protection.ts';
import { createPushProtection } from '#registry/gc/push-protection.ts';
import type { EventSink } from '#registry/notifications/event.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createInMemoryDriver } from '#registry/storage/drivers/inmemory.ts';
import { createRegistryStore } from '#registry/storage/registry-store.ts';
import type { RegistryStore } from '#registry/storage/store.ts';
import { createLogger } from '#shared/logger.ts';
import type { Content, Image } from './content.ts';
import type { Scope } from './scope.ts';

export interface TestApp {
  readonly app: FastifyInstance;
  readonly store: RegistryStore;
  readonly catalog: Catalog;
  /** `path` begins below `/v2/`, unless it begins with a slash. */
  send: (method: string, path: string, options?: SendOptions) => Promise<LightMyRequestResponse>;
  pushBlob: (repository: string, bytes: Buffer, digest: string) => Promise<void>;
  pushManifest: (repository: string, manifest: Content, reference?: string) => Promise<LightMyRequestResponse>;
  pushImage: (repository: string, image: Image, tag?: string) => Promise<void>;
}

export type SendOptions = Pick<InjectOptions, 'headers' | 'payload'>;

export interface TestAppOptions extends Partial<AppOptions> {
  observers?: AppDeps['observers'];
  checkHealth?: () => void;
  authenticator?: Authenticator;
  events?: EventSink;
  driver?: StorageDriver;
  /** Between pushes and a garbage collection. */
  protection?: Protection;
}

const unlimited = { maxRunning: 0, maxInQueue: 0, maxWaitInQueue: 0 };

export const defaultAppOptions: AppOptions = {
  urls: { relative: false },
  prefix: '/',
  headers: {},
  deleteEnabled: true,
  readOnly: false,
  maxEntries: 1000,
  maxTags: 1000,
  manifestMaxBytes: 4 * 2 ** 20,
  limits: { read: unlimited, write: unlimited },
  eventReferences: false,
  validation: { enabled: true, sparse: false, urlAllow: [], urlDeny: [], platforms: 'all', platformList: [] },
};

export async function registryApp(scope: Scope, options: TestAppOptions = {}): Promise<TestApp> {
  const logger = createLogger({ level: 'silent' });
  const {
    driver = createInMemoryDriver(),
    observers = [],
    checkHealth = () => undefined,
    authenticator,
    events,
    protection,
    ...rest
  } = options;
  const catalog = createCatalog({ driver, logger });
  const plain = createRegistryStore({ driver, observers: [catalog], logger });
  const store = protection ? protectedStore(plain, protection) : plain;
  const referrers = createReferrers({ driver, store });
  const app = buildApp({
    store,
    catalog,
    referrers,
    logger,
    observers,
    checkHealth,
    authenticator,
    events,
    ...(protection ? { protect: createPushProtection(driver, protection) } : {}),
    options: { ...defaultAppOptions, ...rest },
  });
  await catalog.build(new AbortController().signal);
  scope.after(async () => {
    await app.close();
    await store.close();
  });

  function send(method: string, path: string, { headers = {}, payload }: SendOptions = {}) {
    const url = path.startsWith('/') ? path : `/v2/${path}`;
    const request = { method, url, headers, ...(payload === undefined ? {} : { payload }) };
    return app.inject(request as InjectOptions);
  }

  async function pushBlob(repository: string, bytes: Buffer, digest: string): Promise<void> {
    const path = `${repository}/blobs/uploads/?digest=${digest}`;
    expect(await send('POST', path, { payload: bytes, headers: octets }), 201);
  }

  function pushManifest(repository: string, { mediaType, bytes, digest }: Content, reference = digest) {
    const headers = { 'content-type': mediaType };
    return send('PUT', `${repository}/manifests/${reference}`, { payload: bytes, headers });
  }

  async function pushImage(repository: string, { blobs, manifest }: Image, tag?: string): Promise<void> {
    for (const { bytes, digest } of blobs) await pushBlob(repository, bytes, digest);
    expect(await pushManifest(repository, manifest, tag), 201);
  }

  return { app, store, catalog, send, pushBlob, pushManifest, pushImage };
}

export const octets = { 'content-type': 'application/octet-stream' };

/** Throws with the body when the answer has another status. */
export function expect(response: LightMyRequestResponse, status: number): LightMyRequestResponse {
  if (response.statusCode === status) return response;
  throw new Error(`${response.statusCode} instead of ${status}: ${response.body}`);
}

/** The codes of an error body. */
export function errorCodes(response: LightMyRequestResponse): string[] {
  return response.json<{ errors: { code: string }[] }>().errors.map(({ code }) => code);
}
