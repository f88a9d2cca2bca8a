import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDriver } from './driver.contract.ts';
import { createInMemoryDriver } from './drivers/inmemory.ts';
import { instrumentedDriver } from './instrumented-driver.ts';

describeDriver('instrumented', async () => instrumentedDriver(createInMemoryDriver(), () => {}));

test('instrumented: each action is told with the name of the driver and its seconds, a failed one too', async () => {
  const seen: [string, string][] = [];
  const driver = instrumentedDriver(createInMemoryDriver(), (name, action, seconds) => {
    assert.ok(seconds >= 0 && seconds < 5);
    seen.push([name, action]);
  });
  await driver.putContent('/a', Buffer.from('x'));
  await driver.stat('/a');
  await driver.getContent('/a');
  await (await driver.open('/a'))?.close();
  await (await driver.append('/b')).close();
  await driver.list('/');
  await driver.move('/b', '/c');
  await driver.delete('/c');
  await assert.rejects(driver.putContent('/a/below/a/file', Buffer.from('x')));
  const actions = ['PutContent', 'Stat', 'GetContent', 'Reader', 'Writer', 'List', 'Move', 'Delete', 'PutContent'];
  assert.deepEqual(
    seen,
    actions.map((action) => ['inmemory', action]),
  );
});
