/** A disk that answers EIO for a while, which no volume can be told to do: a driver on real files stands for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { image } from '#test/support/content.ts';
import { diskError, faultyDriver } from '#test/support/faulty-driver.ts';
import { registryApp } from '#test/support/registry-app.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createFilesystemDriver } from '#registry/storage/drivers/filesystem.ts';
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
