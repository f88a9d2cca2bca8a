/** What the registry tells of its pushes, across kill -9. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { image } from '#test/support/content.ts';
import { eventReceiver, notifying, type EventReceiver } from '#test/support/event-receiver.ts';
import { eventually } from '#test/support/eventually.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { startRegistry } from '#test/support/registry.ts';

const tagsOf = ({ events }: EventReceiver) => new Set(events.flatMap(({ target }) => target['tag'] ?? []));

test('every acknowledged push is told of, though the receiver was down and the registry killed', async (t) => {
  const receiver = await eventReceiver(t);
  const registry = await startRegistry(t, { config: notifying(receiver) });
  const client = registryClient(registry.url);
  await receiver.stop();
  const pushed: string[] = [];
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 4; i++) {
      const tag = `v${round}-${i}`;
      await client.pushImage('app', image(tag), tag);
      pushed.push(tag);
    }
    await registry.kill('SIGKILL');
    await registry.start();
  }
  await receiver.start();
  await eventually(() => assert.deepEqual([...tagsOf(receiver)], pushed), { timeoutMs: 20_000 });
});
