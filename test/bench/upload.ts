/** Pushes large blobs at the cost of little more than the system calls: raw sockets, megabyte writes, no copies. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const chunkBytes = 1 << 20;

interface Answer {
  status: number;
  location: string;
}

/** POST, PATCH in a chunked body as docker and podman send it, PUT; resolves when the blob is acknowledged. */
export async function upload(url: URL, repository: string, bytes: Buffer, digest: string): Promise<void> {
  const socket = connect(Number(url.port), url.hostname).setNoDelay(true);
  await once(socket, 'connect');
  try {
    const started = await ask(socket, url, 'POST', `/v2/${repository}/blobs/uploads/`);
    const sent = await ask(socket, url, 'PATCH', started.location, bytes);
    const separator = sent.location.includes('?') ? '&' : '?';
    const stored = await ask(socket, url, 'PUT', `${sent.location}${separator}digest=${digest}`);
    if (stored.status !== 201) throw new Error(`PUT ${digest}: ${stored.status}`);
  } finally {
    socket.destroy();
  }
}

async function ask(socket: Socket, url: URL, method: string, path: string, body?: Buffer): Promise<Answer> {
  const answer = readAnswer(socket, url);
  const length = body ? 'Transfer-Encoding: chunked\r\nContent-Type: application/octet-stream' : 'Content-Length: 0';
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${url.host}\r\n${length}\r\n\r\n`);
  if (body) await writeChunks(socket, body);
  return answer;
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

/** The answers to these three requests have no body. */
async function readAnswer(socket: Socket, url: URL): Promise<Answer> {
  let head = '';
  while (!head.includes('\r\n\r\n')) {
    const [data] = (await once(socket, 'data')) as [Buffer];
    head += data.toString('latin1');
  }
  const location = /^location: *(.*)\r$/im.exec(head)?.[1] ?? '/';
  const { pathname, search } = new URL(location, url);
  const status = Number(head.slice(9, 12));
  if (status >= 300) throw new Error(head);
  return { status, location: pathname + search };
}
