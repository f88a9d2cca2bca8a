/**
 * A disk that answers EIO at the step that a test names: a driver on real files stands for it. A real one, which can't be told at
 * which step to fail, is in test/integration/registry-failing-disk.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { image } from '#test/support/content.ts';
import { diskError, faultyDriver } from '#test/support/faulty-driver.ts';
import { registryApp } from '#test/support/registry-app.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createFilesystemDriver } from '#registry/storage/drivers/filesystem.ts';
import type { ExchangeRecord } from './exchange.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';

const pushed = image('before', { layers: [200_000] });
const [, layer] = pushed.blobs;

interface Disk {
  driver: StorageDriver;
  failing: (state: boolean) => void;
}

/** Every write fails, and the opening of data too, while it is told so. */
function disk(rootDirectory: string): Disk {
  let broken = false;
  const check = () => {
    if (broken) throw diskError('EIO');
  };
  const files = faultyDriver(createFilesystemDriver({ rootDirectory }), check);
  const open: StorageDriver['open'] = async (path) => {
    check();
    return files.open(path);
  };
  return { driver: { ...files, open }, failing: (state) => (broken = state) };
}

test('EIO is told to each client, takes nothing away, and is over when the disk works again', async (t) => {
  const { driver, failing } = disk(await temporaryFolder(t));
  const { send, pushImage } = await registryApp(t, { driver });
  await pushImage('a', pushed, 'x');
  for (let time = 0; time < 3; time++) {
    failing(true);
    assert.equal((await send('POST', 'a/blobs/uploads/')).statusCode, 500);
    assert.equal((await send('GET', `a/blobs/${layer?.digest}`)).statusCode, 500);
    const headers = { 'content-type': pushed.manifest.mediaType };
    const put = await send('PUT', 'a/manifests/y', { headers, payload: pushed.manifest.bytes });
    assert.equal(put.statusCode, 500);
    assert.match(put.body, /^\{"errors":\[\{"code":"UNKNOWN"/);
    assert.equal((await send('GET', 'a/manifests/x')).statusCode, 200);

    failing(false);
    assert.equal((await send('GET', 'a/manifests/y')).statusCode, 404);
    const got = await send('GET', `a/blobs/${layer?.digest}`);
    assert.deepEqual(got.rawPayload, layer?.bytes);
    await pushImage('a', image(`after/${time}`, { layers: [200_000] }), `after-${time}`);
    assert.equal((await send('GET', `a/manifests/after-${time}`)).statusCode, 200);
  }
});

/** Reads of what lies at `from` or behind fail. */
function unreadable(rootDirectory: string, from: number): StorageDriver {
  const files = createFilesystemDriver({ rootDirectory });
  return {
    ...files,
    async open(path) {
      const reader = await files.open(path);
      if (!reader) return undefined;
      return {
        info: reader.info,
        close: () => reader.close(),
        async read(into, position) {
          if (position + into.byteLength > from) throw diskError('EIO');
          return reader.read(into, position);
        },
      };
    },
  };
}

test('a blob of which nothing can be read is answered with an error, and one that fails later is broken off', async (t) => {
  const large = image('large', { layers: [5_000_000] });
  const path = `a/blobs/${large.blobs[1]?.digest}`;
  for (const [from, whole] of [
    [0, true],
    [4_000_000, false],
  ] as const) {
    const records: ExchangeRecord[] = [];
    const observers = [{ finished: (record: ExchangeRecord) => void records.push(record) }];
    const { send, pushImage } = await registryApp(t, {
      driver: unreadable(await temporaryFolder(t), from),
      observers,
    });
    await pushImage('a', large);
    const got = send('GET', path);
    if (whole) {
      assert.equal((await got).statusCode, 500);
      assert.match((await got).body, /^\{"errors":\[\{"code":"UNKNOWN"/);
      assert.equal((await got).headers['content-length'], String((await got).rawPayload.length));
      assert.equal((await got).headers['etag'], undefined);
    } else {
      await assert.rejects(got);
    }
    const last = records.at(-1);
    assert.match(String(last?.error), /EIO/);
    assert.equal(last?.status, whole ? 500 : 200);
    assert.equal((await send('GET', path, { headers: { range: 'bytes=0-0' } })).statusCode, whole ? 500 : 206);
  }
});
