/**
 * The same endpoints, which tell of what they did: distribution's events. Read off the exchange and its answer, so that no
 * endpoint has to know of them. A change is told before its answer goes out, and so is not lost with the process; a
 * HEAD is no pull. Source: distribution, notifications/{listener,bridge}.go.
 */
import type { Action, EventSink, Target } from '#registry/notifications/event.ts';
import { parseDigest, type Digest } from '#registry/oci/digest.ts';
import { parseManifest, type Manifest } from '#registry/oci/manifest.ts';
import { isTag } from '#registry/oci/reference.ts';
import type { Answer, Exchange, Handler, Methods } from './exchange.ts';
import type { Links } from './links.ts';
import type { Endpoint } from './path.ts';
import { peerOf, remoteAddress } from './remote-address.ts';

export interface NotifiedDeps {
  sink: EventSink;
  links: Links;
  /** `notifications.events.includereferences` */
  includeReferences: boolean;
}

/** What an answer says that was done; `undefined` when nothing was that anybody is told of. */
type Reading = (exchange: Exchange, answer: Answer, deps: NotifiedDeps) => Promise<[Action, Target] | undefined>;

export function notified(endpoints: Record<Endpoint, Methods>, deps: NotifiedDeps): Record<Endpoint, Methods> {
  const { manifest, blob, uploads, upload } = endpoints;
  return {
    ...endpoints,
    manifest: telling(manifest, deps, { GET: manifestPull, PUT: manifestPush, DELETE: manifestDelete }),
    blob: telling(withHead(blob), deps, { GET: blobPull, DELETE: blobDelete }),
    uploads: telling(uploads, deps, { POST: blobPush }),
    upload: telling(upload, deps, { PUT: blobPush }),
  };
}

/** Without a handler of its own a HEAD is answered by that of GET, which tells of a pull. */
function withHead(methods: Methods): Methods {
  return methods.GET && !methods.HEAD ? { ...methods, HEAD: methods.GET } : methods;
}

function telling(methods: Methods, deps: NotifiedDeps, readings: Partial<Record<string, Reading>>): Methods {
  const entries = Object.entries(withHead(methods)).map(([method, handler]): [string, Handler] => {
    const reading = readings[method];
    return [method, reading ? (exchange) => tell(handler, reading, exchange, deps) : handler];
  });
  return Object.fromEntries(entries);
}

async function tell(handler: Handler, reading: Reading, exchange: Exchange, deps: NotifiedDeps): Promise<Answer> {
  const answer = await handler(exchange);
  if (answer.status >= 300) return answer;
  const told = await reading(exchange, answer, deps).catch((error: unknown) => {
    exchange.log().error({ err: error }, 'no notification could be made of a request');
    return undefined;
  });
  if (!told) return answer;
  const [action, target] = told;
  const published = deps.sink.publish({
    action,
    target,
    request: requestRecord(exchange),
    ...(exchange.actor ? { actor: exchange.actor.name } : {}),
  });
  // Nobody waits for the news of a pull.
  if (action !== 'pull') await published;
  return answer;
}

function requestRecord({ id, method, request: { headers, socket } }: Exchange) {
  return {
    id,
    addr: remoteAddress(headers, peerOf(socket)),
    host: headers.host ?? '',
    method,
    useragent: headers['user-agent'] ?? '',
  };
}

const manifestPull: Reading = async (exchange, { headers, body }, deps) => {
  const target = manifestTarget(exchange, headers, body as Buffer, deps);
  return target && ['pull', target];
};

const manifestPush: Reading = async (exchange, { headers }, deps) => {
  const digest = digestOf(headers);
  const stored = digest && (await exchange.repository().manifests.get(digest));
  if (!stored) return undefined;
  const target = manifestTarget(exchange, { ...headers, 'Content-Type': stored.mediaType }, stored.bytes, deps);
  return target && ['push', target];
};

function manifestTarget(
  exchange: Exchange,
  headers: Answer['headers'],
  bytes: Buffer,
  { links, includeReferences }: NotifiedDeps,
): Target | undefined {
  const digest = digestOf(headers);
  if (!digest) return undefined;
  return {
    mediaType: String(headers['Content-Type'] ?? ''),
    digest,
    size: bytes.length,
    length: bytes.length,
    repository: exchange.name,
    url: links.manifest(exchange, digest),
    ...(isTag(exchange.subject) ? { tag: exchange.subject } : {}),
    ...(includeReferences ? { references: referencesOf(parseManifest(bytes)) } : {}),
  };
}

function referencesOf({ config, layers, manifests }: Manifest): object[] {
  return [...(config ? [config] : []), ...layers, ...manifests];
}

const manifestDelete: Reading = async ({ name, subject }) => {
  const what = isTag(subject) ? { digest: '', tag: subject } : { digest: subject };
  return ['delete', { mediaType: '', size: 0, repository: name, ...what }];
};

/** A part says how large the whole is; several parts leave that to their own heads. */
const blobPull: Reading = async (exchange, { status, headers }, { links }) => {
  const digest = digestOf(headers);
  if (!digest) return undefined;
  const length = status === 206 ? /\/(\d+)$/.exec(String(headers['Content-Range']))?.[1] : headers['Content-Length'];
  const size = length === undefined ? (await exchange.repository().blobs.stat(digest))?.size : Number(length);
  return size === undefined ? undefined : ['pull', blobTarget(exchange, digest, size, links)];
};

/** Also the mount: both are answered by 201, and a session that is only begun by 202. */
const blobPush: Reading = async (exchange, { status, headers }, { links }) => {
  const digest = digestOf(headers);
  const blob = status === 201 && digest ? await exchange.repository().blobs.stat(digest) : undefined;
  if (!digest || !blob) return undefined;
  const target = blobTarget(exchange, digest, blob.size, links);
  if (exchange.query().get('mount') !== digest) return ['push', target];
  const from = exchange.query().get('from');
  return ['mount', { ...target, ...(from ? { fromRepository: from } : {}) }];
};

const blobDelete: Reading = async ({ name, subject }) => {
  return ['delete', { mediaType: '', digest: subject, size: 0, repository: name }];
};

function blobTarget(exchange: Exchange, digest: Digest, size: number, links: Links): Target {
  const url = links.blob(exchange, digest);
  return { mediaType: 'application/octet-stream', digest, size, length: size, repository: exchange.name, url };
}

function digestOf(headers: Answer['headers']): Digest | undefined {
  return parseDigest(String(headers['Docker-Content-Digest'] ?? ''));
}
