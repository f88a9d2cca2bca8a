/** Pushes at the cost of little more than the system calls: raw sockets, megabyte writes, no copies. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Content } from '#test/support/content.ts';

const chunkBytes = 1 << 20;

interface Answer {
  status: number;
  location: string;
}

export interface Connection {
  /** POST, PATCH in a chunked body as docker and podman send it, PUT; resolves when the blob is acknowledged. */
  pushBlob(repository: string, bytes: Buffer, digest: string): Promise<void>;
  /** As a client pushes it: asks whether the blob is there, and pushes it when it is not. */
  offerBlob(repository: string, bytes: Buffer, digest: string): Promise<void>;
  pushManifest(repository: string, tag: string, manifest: Content): Promise<void>;
  close(): void;
}

/** One connection that is kept alive. */
export async function openConnection(url: URL): Promise<Connection> {
  const socket = connect(Number(url.port), url.hostname).setNoDelay(true);
  await once(socket, 'connect');

  async function pushBlob(repository: string, bytes: Buffer, digest: string): Promise<void> {
    const started = await ask(socket, url, { method: 'POST', path: `/v2/${repository}/blobs/uploads/` });
    const sent = await ask(socket, url, { method: 'PATCH', path: started.location, chunked: bytes });
    const separator = sent.location.includes('?') ? '&' : '?';
    await ask(socket, url, { method: 'PUT', path: `${sent.location}${separator}digest=${digest}`, expected: 201 });
  }

  return {
    pushBlob,
    async offerBlob(repository, bytes, digest) {
      await ask(socket, url, { method: 'HEAD', path: `/v2/${repository}/blobs/${digest}`, expected: 404 });
      await pushBlob(repository, bytes, digest);
    },
    async pushManifest(repository, tag, manifest) {
      await ask(socket, url, { method: 'PUT', path: `/v2/${repository}/manifests/${tag}`, manifest, expected: 201 });
    },
    close: () => socket.destroy(),
  };
}

/** A blob over a connection of its own. */
export async function upload(url: URL, repository: string, bytes: Buffer, digest: string): Promise<void> {
  const connection = await openConnection(url);
  try {
    await connection.pushBlob(repository, bytes, digest);
  } finally {
    connection.close();
  }
}

interface Request {
  method: string;
  path: string;
  chunked?: Buffer;
  manifest?: Content;
  /** The status; 202 when absent. */
  expected?: number;
}

async function ask(socket: Socket, url: URL, request: Request): Promise<Answer> {
  const { method, path, chunked, manifest, expected = 202 } = request;
  const answer = readAnswer(socket, url);
  const headers = [`${method} ${path} HTTP/1.1`, `Host: ${url.host}`];
  if (chunked) headers.push('Content-Type: application/octet-stream', 'Transfer-Encoding: chunked');
  else headers.push(`Content-Length: ${manifest?.bytes.byteLength ?? 0}`);
  if (manifest) headers.push(`Content-Type: ${manifest.mediaType}`);
  socket.cork();
  socket.write(`${headers.join('\r\n')}\r\n\r\n`);
  if (manifest) socket.write(manifest.bytes);
  socket.uncork();
  if (chunked) await writeChunks(socket, chunked);
  const { status, location } = await answer;
  if (status !== expected) throw new Error(`${method} ${path}: ${status}`);
  return { status, location };
}

async function writeChunks(socket: Socket, body: Buffer): Promise<void> {
  for (let at = 0; at < body.length; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes);
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`);
    socket.write(chunk);
    const more = socket.write('\r\n');
    socket.uncork();
    if (!more) await once(socket, 'drain');
  }
  socket.write('0\r\n\r\n');
}

/** What is asked here is answered without a body, unless it goes wrong. */
async function readAnswer(socket: Socket, url: URL): Promise<Answer> {
  let head = '';
  while (!head.includes('\r\n\r\n')) {
    const [data] = (await once(socket, 'data')) as [Buffer];
    head += data.toString('latin1');
  }
  const location = /^location: *(.*)\r$/im.exec(head)?.[1] ?? '/';
  const { pathname, search } = new URL(location, url);
  return { status: Number(head.slice(9, 12)), location: pathname + search };
}
