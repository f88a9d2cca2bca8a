/** What a registry tells of pushes and pulls, beside distribution on the same ones. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { image } from '#test/support/content.ts';
import { eventReceiver, notifying, type ReceivedEvent } from '#test/support/event-receiver.ts';
import { eventually } from '#test/support/eventually.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { registryCommand, startRegistry } from '#test/support/registry.ts';

/** Without what differs by nature: ids, times, ports and names of processes. */
function comparable({ action, target, request, actor }: ReceivedEvent): unknown {
  const { method, useragent } = request as Record<string, unknown>;
  const { url } = target as { url?: string };
  const path = url?.replace(/^http:\/\/[^/]+/, '');
  return { action, target: { ...target, url: path }, request: { method, useragent }, actor };
}

// Built where it is missing, which takes its time.
before(() => registryCommand('distribution'));

test('the events of a push and a pull are those of distribution', { timeout: 120_000 }, async (t) => {
  const told: unknown[][] = [];
  for (const kind of ['ours', 'distribution'] as const) {
    const receiver = await eventReceiver(t);
    // With patience: what a slow machine answers too late is told twice.
    const registry = await startRegistry(t, { kind, config: notifying(receiver, '30s') });
    const client = registryClient(registry.url);
    await client.pushImage('a/b', image('compared'), 'v1');
    await client.mount('c', image('compared').blobs[0]!.digest, 'a/b');
    await client.pullAll('a/b', 'v1');
    await client.deleteManifest('a/b', image('compared').manifest.digest);
    await eventually(() => assert.ok(receiver.events.some(({ action }) => action === 'delete')));
    // Distribution takes a HEAD for a pull, and tells of each tag that goes with a manifest.
    const compared = receiver.events.filter((event) => {
      const { method } = event['request'] as { method: string };
      return method !== 'HEAD' && !(event.action === 'delete' && event.target['tag'] !== undefined);
    });
    told.push(compared.map(comparable));
  }
  assert.deepEqual(told[0], told[1]);
  assert.ok(told[0]!.length >= 7, `${told[0]!.length} events`);
});
