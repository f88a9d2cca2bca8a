/** Processes that share a volume and are suspended for longer than the others wait for a sign of life: no event is lost. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventReceiver } from '#test/support/event-receiver.ts';
import { eventually } from '#test/support/eventually.ts';
import { openScope, type Scope } from '#test/support/scope.ts';
import { startServerProcess, type ServerProcess } from '#test/support/server-process.ts';
import { temporaryFolder } from '#test/support/temporary.ts';

const program = fileURLToPath(new URL('../../../test/support/event-publisher.ts', import.meta.url));
const staleMs = 300;
const rounds = 6;
/** Until something counts as hanging: each process starts, stalls and delivers on a machine that is busy with others. */
const patience = { timeoutMs: 60_000 };

async function startPublisher(scope: Scope, folder: string, url: string, name: string): Promise<ServerProcess> {
  const args = [program, folder, url, name, String(staleMs)];
  const publisher = await startServerProcess({ command: process.execPath, args, ready: async () => {} });
  scope.after(async () => void (await publisher.kill('SIGKILL')));
  return publisher;
}

function published(publisher: ServerProcess): string[] {
  return [...publisher.output().matchAll(/^published (.+)$/gm)].map(([, tag = '']) => tag);
}

/** Process ids of those who own a place with events: nobody takes over an empty one. */
async function owners(folder: string): Promise<number[]> {
  const contents = await Promise.all(
    (await readdir(folder)).map(async (place) => {
      const files = await readdir(join(folder, place));
      if (!files.some((name) => name.endsWith('.events'))) return '';
      return readFile(join(folder, place, 'owner'), 'utf8').catch(() => '');
    }),
  );
  return contents.flatMap((text) => /"pid":(\d+)/.exec(text)?.[1] ?? []).map(Number);
}

async function publishesMore(publisher: ServerProcess): Promise<void> {
  const before = published(publisher).length;
  const more = () => assert.ok(published(publisher).length > before + 10, publisher.output().slice(-2000));
  await eventually(more, patience);
}

test(`two processes are suspended in turn, ${rounds} times, until the other one has taken over`, async (t) => {
  const scope = openScope();
  t.after(() => scope.close());
  const folder = await temporaryFolder(scope);
  const receiver = await eventReceiver(scope);
  const publishers = [
    await startPublisher(scope, folder, receiver.url, 'a'),
    await startPublisher(scope, folder, receiver.url, 'b'),
  ] as const;
  for (const publisher of publishers) await publishesMore(publisher);
  for (let round = 0; round < rounds; round++) {
    const suspended = publishers[round % 2 === 0 ? 0 : 1];
    // So that something waits when it is taken over.
    receiver.answer = 500;
    await publishesMore(suspended);
    process.kill(suspended.pid(), 'SIGSTOP');
    receiver.answer = 200;
    await eventually(async () => {
      assert.ok(!(await owners(join(folder, 'receiver'))).includes(suspended.pid()));
    }, patience);
    process.kill(suspended.pid(), 'SIGCONT');
    for (const publisher of publishers) await publishesMore(publisher);
  }
  const promised = publishers.flatMap(published);
  await eventually(() => {
    const arrived = new Set(receiver.events.map(({ target }) => target['tag']));
    assert.deepEqual(
      promised.filter((tag) => !arrived.has(tag)),
      [],
    );
  }, patience);
  t.diagnostic(`${promised.length} events published, ${receiver.events.length} received`);
  for (const publisher of publishers) assert.doesNotMatch(publisher.output(), /lost|can not be read/);
});
