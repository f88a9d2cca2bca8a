/** Uploads in all ways of the spec, and one that goes on after the server was killed in the middle of it. */
import assert from 'node:assert/strict';

export interface LeftUpload {
  repository: string;
  location: URL;
  bytes: Buffer;
  digest: string;
  /** Bytes that the registry said it had. */
  acknowledged: number;
  /** Its end was asked for, so that it may be committed, or be there without its data. */
  ending: boolean;
}

export interface Uploads {
  has(repository: string, digest: string): Promise<boolean>;
  /** All in one POST. */
  single(repository: string, bytes: Buffer, digest: string): Promise<void>;
  begin(repository: string, bytes: Buffer, digest: string): Promise<LeftUpload>;
  /** One chunk with a Content-Range, up to the byte `end`. */
  send(upload: LeftUpload, end: number): Promise<void>;
  finish(upload: LeftUpload): Promise<void>;
  /** Looks how much arrived, never less than was acknowledged; `false` when there is no such upload any more. */
  resume(upload: LeftUpload): Promise<boolean>;
}

/** `url` as TestRegistry gives it. Connections that break off throw a TypeError, unexpected answers another Error. */
export function uploadsTo(url: string): Uploads {
  async function request(target: URL | string, init: RequestInit, ...expected: number[]): Promise<Response> {
    const response = await fetch(new URL(target, url), init);
    const text = await response.text();
    if (expected.includes(response.status)) return response;
    throw new Error(`${init.method} ${String(target)}: ${response.status} ${text}`);
  }

  return {
    async has(repository, digest) {
      const response = await request(`/v2/${repository}/blobs/${digest}`, { method: 'HEAD' }, 200, 404);
      return response.status === 200;
    },
    async single(repository, bytes, digest) {
      const target = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
      await request(target, { method: 'POST', body: bytes as Uint8Array<ArrayBuffer> }, 201);
    },
    async begin(repository, bytes, digest) {
      const response = await request(`/v2/${repository}/blobs/uploads/`, { method: 'POST' }, 202);
      const location = new URL(response.headers.get('location') ?? '', url);
      return { repository, location, bytes, digest, acknowledged: 0, ending: false };
    },
    async send(upload, end) {
      const headers = { 'content-range': `${upload.acknowledged}-${end - 1}` };
      const body = upload.bytes.subarray(upload.acknowledged, end) as Uint8Array<ArrayBuffer>;
      await request(upload.location, { method: 'PATCH', body, headers }, 202);
      upload.acknowledged = end;
    },
    async finish(upload) {
      upload.ending = true;
      const target = new URL(upload.location);
      target.searchParams.set('digest', upload.digest);
      await request(target, { method: 'PUT' }, 201);
    },
    async resume(upload) {
      const response = await request(upload.location, { method: 'GET' }, 204, 404);
      if (response.status === 404) {
        assert.ok(upload.ending, `the upload ${upload.location.pathname} is gone`);
        return false;
      }
      const last = Number(response.headers.get('range')?.split('-')[1]);
      const received = last === 0 ? 0 : last + 1;
      const text = `${received} bytes of ${upload.location.pathname} are there, ${upload.acknowledged} were acknowledged`;
      assert.ok(received >= upload.acknowledged || (upload.ending && received === 0), text);
      upload.acknowledged = received;
      return true;
    },
  };
}
