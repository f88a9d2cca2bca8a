/** What every driver does, whatever it stands on. A driver's test file calls this with a way to make an empty one. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isSameFile, type StorageDriver } from './driver.ts';
import { eventually } from '#test/support/eventually.ts';

export type MakeDriver = (t: TestContext) => Promise<StorageDriver>;

export function describeDriver(name: string, make: MakeDriver): void {
  const contract = (title: string, check: (driver: StorageDriver) => Promise<void>) =>
    void test(`${name}: ${title}`, async (t) => check(await make(t)));

  contents(contract);
  writing(contract);
  publishing(contract);
  directories(contract);
  upkeep(contract);
}

type Contract = (title: string, check: (driver: StorageDriver) => Promise<void>) => void;

async function text(driver: StorageDriver, path: string): Promise<string | undefined> {
  return (await driver.getContent(path))?.bytes.toString();
}

async function write(driver: StorageDriver, path: string, ...chunks: string[]): Promise<number> {
  const writer = await driver.append(path);
  await writer.write(chunks.map((chunk) => Buffer.from(chunk)));
  await writer.sync();
  await writer.close();
  return writer.size;
}

function contents(contract: Contract): void {
  contract('a file that is missing is undefined or false, never an error', async (driver) => {
    await driver.putContent('/file', Buffer.from('x'));
    for (const path of ['/missing', '/missing/deeper/still', '/file/below']) {
      assert.equal(await driver.stat(path), undefined);
      assert.equal(await driver.getContent(path), undefined);
      assert.equal(await driver.open(path), undefined);
      assert.equal(await driver.list(path), undefined);
      assert.equal(await driver.delete(path), false);
      assert.equal(await driver.move(path, '/elsewhere/x'), false);
    }
  });

  contract('a directory is no file', async (driver) => {
    await driver.putContent('/a/b', Buffer.from('x'));
    assert.equal(await driver.open('/a'), undefined);
    assert.equal(await driver.getContent('/a'), undefined);
  });

  contract('content comes back byte for byte, an empty one too', async (driver) => {
    for (const content of [Buffer.from([0, 255, 10]), Buffer.alloc(0), Buffer.alloc(100_000, 'ab')]) {
      await driver.putContent('/a/b/c', content);
      assert.deepEqual((await driver.getContent('/a/b/c'))?.bytes, content);
      assert.equal((await driver.stat('/a/b/c'))?.size, content.byteLength);
    }
  });

  contract('a replaced file shows in its info, one that stayed the same does not', async (driver) => {
    await driver.putContent('/a/link', Buffer.from('one'));
    const before = (await driver.stat('/a/link'))!;
    assert.ok(isSameFile(before, (await driver.stat('/a/link'))!));
    assert.ok(isSameFile(before, (await driver.getContent('/a/link'))!.info));
    await driver.putContent('/a/link', Buffer.from('two'));
    assert.ok(!isSameFile(before, (await driver.stat('/a/link'))!));
  });

  contract('reads fill the buffer from a position, and less only at the end', async (driver) => {
    await driver.putContent('/a', Buffer.from('0123456789'));
    const reader = (await driver.open('/a'))!;
    const buffer = Buffer.alloc(4);
    assert.equal(reader.info.size, 10);
    assert.equal(await reader.read(buffer, 3), 4);
    assert.equal(buffer.toString(), '3456');
    assert.equal(await reader.read(buffer, 8), 2);
    assert.equal(buffer.subarray(0, 2).toString(), '89');
    assert.equal(await reader.read(buffer, 10), 0);
    assert.equal(await reader.read(buffer, 99), 0);
    await reader.close();
  });

  contract('an open reader goes on with what it opened', async (driver) => {
    await driver.putContent('/a', Buffer.from('old content'));
    const reader = (await driver.open('/a'))!;
    await driver.putContent('/a', Buffer.from('new'));
    const buffer = Buffer.alloc(reader.info.size);
    assert.equal(await reader.read(buffer, 0), 11);
    assert.equal(buffer.toString(), 'old content');
    await reader.close();
  });
}

function writing(contract: Contract): void {
  contract('writes append, in one session and in the next', async (driver) => {
    assert.equal(await write(driver, '/up/data', 'one ', 'two '), 8);
    assert.equal(await write(driver, '/up/data', 'three'), 13);
    assert.equal(await text(driver, '/up/data'), 'one two three');
    assert.equal(await write(driver, '/up/data'), 13);
  });

  contract('opening to write makes an empty file', async (driver) => {
    await write(driver, '/up/data');
    assert.equal((await driver.stat('/up/data'))?.size, 0);
  });

  contract('many chunks at once, more than a system call takes', async (driver) => {
    const chunks = Array.from({ length: 3000 }, (_, index) => `${index},`);
    await write(driver, '/up/data', ...chunks);
    assert.equal(await text(driver, '/up/data'), chunks.join(''));
  });

  contract('a move takes the place of what is there', async (driver) => {
    await write(driver, '/up/data', 'new');
    await driver.putContent('/blobs/data', Buffer.from('old'));
    assert.equal(await driver.move('/up/data', '/blobs/data'), true);
    assert.equal(await text(driver, '/blobs/data'), 'new');
    assert.equal(await driver.stat('/up/data'), undefined);
  });

  contract('contents put at the same time leave one of them, whole', async (driver) => {
    const all = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(1000));
    await Promise.all(all.map((content) => driver.putContent('/a/b', Buffer.from(content))));
    assert.ok(all.includes((await text(driver, '/a/b')) ?? ''));
    assert.deepEqual(await driver.list('/a'), [{ name: 'b', isDirectory: false }]);
  });

  contract('a directory that was removed meanwhile is made again', async (driver) => {
    await driver.putContent('/a/b/c', Buffer.from('1'));
    await driver.delete('/a');
    await driver.putContent('/a/b/c', Buffer.from('2'));
    await driver.delete('/a/b');
    await write(driver, '/up', '3');
    assert.equal(await driver.move('/up', '/a/b/c'), true);
    assert.equal(await text(driver, '/a/b/c'), '3');
  });
}

function publishing(contract: Contract): void {
  const put = (path: string, content: string) => ({ path, content: Buffer.from(content) });

  contract('a publication writes and moves, replacing what is there', async (driver) => {
    await write(driver, '/up/1/data', 'data');
    await driver.putContent('/tags/link', Buffer.from('old'));
    await driver.publish([
      [{ path: '/blobs/data', from: '/up/1/data' }],
      [],
      [put('/links/link', 'link'), put('/tags/link', 'new'), put('/tags/index/link', '')],
    ]);
    assert.equal(await text(driver, '/blobs/data'), 'data');
    assert.equal(await driver.stat('/up/1/data'), undefined);
    assert.equal(await text(driver, '/links/link'), 'link');
    assert.equal(await text(driver, '/tags/link'), 'new');
    assert.equal(await text(driver, '/tags/index/link'), '');
    assert.deepEqual(await driver.list('/links'), [{ name: 'link', isDirectory: false }]);
  });

  contract('where the content of a stage is missing, nothing of it and of later ones appears', async (driver) => {
    const stages = [[{ path: '/blobs/data', from: '/up/1/data' }], [put('/tags/link', 'new')]];
    await assert.rejects(driver.publish(stages), { code: 'ENOENT' });
    await assert.rejects(driver.publish([[put('/blobs/data/below', 'x')], ...stages]), { code: 'ENOENT' });
    assert.equal(await driver.stat('/tags'), undefined);
  });

  contract('a publication that fails leaves later stages as they were', async (driver) => {
    await driver.putContent('/file', Buffer.from('x'));
    await driver.putContent('/tags/link', Buffer.from('old'));
    await assert.rejects(driver.publish([[put('/file/below', 'y')], [put('/tags/link', 'new')]]), { code: 'ENOTDIR' });
    assert.equal(await text(driver, '/tags/link'), 'old');
    assert.deepEqual(await driver.list('/tags'), [{ name: 'link', isDirectory: false }]);
  });

  contract('publications of the same at once leave one of them, whole', async (driver) => {
    const stages = (id: string) => [[put('/blobs/data', id.repeat(500))], [put('/tags/link', id)]];
    await Promise.all(['1', '2', '3', '4'].map((id) => driver.publish(stages(id))));
    assert.match((await text(driver, '/blobs/data')) ?? '', /^(\d)\1{499}$/);
    assert.match((await text(driver, '/tags/link')) ?? '', /^\d$/);
    assert.deepEqual(await driver.list('/blobs'), [{ name: 'data', isDirectory: false }]);
  });
}

function directories(contract: Contract): void {
  contract('a directory lists its files and directories', async (driver) => {
    await driver.putContent('/a/file', Buffer.from('x'));
    await driver.putContent('/a/directory/file', Buffer.from('x'));
    const entries = (await driver.list('/a')) ?? [];
    assert.deepEqual(
      entries.sort((a, b) => (a.name < b.name ? -1 : 1)),
      [
        { name: 'directory', isDirectory: true },
        { name: 'file', isDirectory: false },
      ],
    );
    assert.equal((await driver.stat('/a'))?.isDirectory, true);
    assert.equal((await driver.stat('/a/file'))?.isDirectory, false);
  });

  contract('a directory shows in its info that an entry came or went', async (driver) => {
    await driver.putContent('/a/one/file', Buffer.from('x'));
    const before = (await driver.stat('/a'))!;
    await driver.putContent('/a/two/file', Buffer.from('x'));
    const after = (await driver.stat('/a'))!;
    assert.ok(!isSameFile(before, after));
    await driver.delete('/a/two');
    await driver.putContent('/a/three/file', Buffer.from('x'));
    assert.ok(!isSameFile(before, (await driver.stat('/a'))!));
  });

  contract('a deletion takes a directory with all that is in it', async (driver) => {
    await driver.putContent('/a/b/c/d', Buffer.from('x'));
    await driver.putContent('/a/other', Buffer.from('x'));
    assert.equal(await driver.delete('/a/b'), true);
    assert.equal(await driver.stat('/a/b/c/d'), undefined);
    assert.equal(await driver.delete('/a/b'), false);
    assert.equal(await driver.delete('/a/other', { lazily: true }), true);
    assert.equal(await driver.stat('/a/other'), undefined);
  });

  contract('the root is there from the beginning', async (driver) => {
    assert.equal((await driver.stat('/'))?.isDirectory, true);
  });

  contract('the space of a volume, where there is one', async (driver) => {
    const space = await driver.space();
    assert.ok(space === undefined || (space.capacity > 0 && space.free > 0 && space.free <= space.capacity));
  });
}

/** What garbage collection needs. */
function upkeep(contract: Contract): void {
  contract('only an empty directory is removed as one', async (driver) => {
    await driver.putContent('/a/b/c', Buffer.from('x'));
    assert.equal(await driver.removeEmpty('/a/b'), false);
    assert.equal(await driver.removeEmpty('/a/b/c'), false);
    await driver.delete('/a/b/c');
    assert.equal(await driver.removeEmpty('/a/b'), true);
    assert.equal(await driver.removeEmpty('/a/b'), false);
    assert.equal(await driver.stat('/a/b'), undefined);
    await driver.putContent('/a/b/c', Buffer.from('y'));
    assert.equal(await text(driver, '/a/b/c'), 'y');
  });

  contract('a touch shows in the info and leaves the content', async (driver) => {
    await driver.putContent('/a', Buffer.from('x'));
    const before = (await driver.stat('/a'))!.modifiedMs;
    await eventually(async () => {
      assert.equal(await driver.touch('/a'), true);
      assert.ok((await driver.stat('/a'))!.modifiedMs > before);
    });
    assert.equal(await text(driver, '/a'), 'x');
    assert.equal(await driver.touch('/missing'), false);
  });
}
