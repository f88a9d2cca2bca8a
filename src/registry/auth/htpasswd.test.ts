import assert from 'node:assert/strict';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { hashSync } from 'bcryptjs';
import { createLogger } from '#shared/logger.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createBcryptThread, type ComparePassword } from './bcrypt-thread.ts';
import { createHtpasswd } from './htpasswd.ts';
import { parseHtpasswd } from './htpasswd-file.ts';
import { provisionHtpasswd } from './provision.ts';
import { createVerifiedCredentials } from './verified-credentials.ts';

const logger = createLogger({ level: 'silent' });
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});
/** As `htpasswd -B` writes it: $2y$. */
const hash = (password: string) => hashSync(password, 4).replace('$2b$', '$2y$');

/** The real comparison, counted, with the cost of each. */
function counted(): { compare: ComparePassword; calls: () => number; costs: () => string[] } {
  const compare = createBcryptThread();
  const costs: string[] = [];
  return {
    calls: () => costs.length,
    costs: () => costs,
    compare(password, hash) {
      costs.push(hash.slice(4, 6));
      return compare(password, hash);
    },
  };
}

async function withFile(t: TestContext, text: string) {
  const path = join(await temporaryFolder(t), 'htpasswd');
  await writeFile(path, text);
  const { compare, calls, costs } = counted();
  const { authenticate } = await createHtpasswd({ path, realm: 'a "quoted" realm', compare, logger });
  const isIn = (user: string, password: string) =>
    authenticate(basic(user, password), []).then(
      (actor) => actor.name === user && actor.unrestricted,
      (error: { code: string }) => (assert.equal(error.code, 'UNAUTHORIZED'), false),
    );
  return { path, authenticate, isIn, calls, costs };
}

test('the file: comments and blank lines are skipped, a line without a colon is an error', () => {
  assert.deepEqual(Object.fromEntries(parseHtpasswd('# users\n\na:x\n b:y:z \r\n')), { a: 'x', b: 'y:z' });
  assert.throws(() => parseHtpasswd('a:x\nb\n'), /line 2/);
});

test('who is in the file with a bcrypt hash is let in, nobody else', async (t) => {
  const { isIn } = await withFile(
    t,
    `u:${hash('secret')}\nempty:${hash('')}\nplain:secret\nsha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n`,
  );
  assert.ok(await isIn('u', 'secret'));
  assert.ok(await isIn('empty', ''));
  for (const [user, password] of [
    ['u', 'Secret'],
    ['u', ''],
    ['v', 'secret'],
    ['plain', 'secret'],
    ['sha', 'secret'],
  ] as const) {
    assert.ok(!(await isIn(user, password)), `${user} ${password}`);
  }
});

test('the challenge names the realm, and the detail what was asked for', async (t) => {
  const { authenticate } = await withFile(t, `u:${hash('secret')}\n`);
  const access = [{ Type: 'repository', Class: '', Name: 'a/b', Action: 'pull' } as const];
  for (const [asked, detail] of [
    [access, access],
    [[], null],
  ] as const) {
    await assert.rejects(authenticate({}, [...asked]), {
      code: 'UNAUTHORIZED',
      status: 401,
      headers: { 'WWW-Authenticate': 'Basic realm="a \\"quoted\\" realm"' },
      detail,
    });
  }
});

test('a login that was right is not compared again, and many at once are compared once', async (t) => {
  const { isIn, calls } = await withFile(t, `u:${hash('secret')}\n`);
  assert.ok((await Promise.all(Array.from({ length: 50 }, () => isIn('u', 'secret')))).every(Boolean));
  assert.ok(await isIn('u', 'secret'));
  assert.equal(calls(), 1);
  await isIn('u', 'wrong');
  await isIn('u', 'wrong');
  assert.equal(calls(), 3, 'a guess costs a comparison each time');
});

test('a user who is not there takes as long as one who is', async (t) => {
  const { isIn, costs } = await withFile(t, `# users\nplain:secret\nu:${hash('secret')}\n`);
  assert.ok(!(await isIn('v', 'secret')), 'not even with the password of another');
  assert.ok(!(await isIn('plain', 'secret')));
  assert.ok(await isIn('u', 'secret'));
  assert.deepEqual(costs(), ['04', '04', '04']);
});

test('a change of the file counts at once, also against a login that is remembered', async (t) => {
  const { path, isIn } = await withFile(t, `u:${hash('old')}\nv:${hash('secret')}\n`);
  assert.ok((await isIn('u', 'old')) && (await isIn('v', 'secret')));
  await writeFile(path, `u:${hash('changed')}\nw:${hash('secret')}\n`);
  assert.ok(!(await isIn('u', 'old')));
  assert.ok(!(await isIn('v', 'secret')));
  assert.ok((await isIn('u', 'changed')) && (await isIn('w', 'secret')));
});

test('a file that became unusable keeps its last state; one that is gone lets nobody in', async (t) => {
  const { path, isIn, authenticate } = await withFile(t, `u:${hash('secret')}\n`);
  await writeFile(path, 'no entry\n');
  assert.ok(await isIn('u', 'secret'));
  await rm(path);
  await assert.rejects(authenticate(basic('u', 'secret'), []), { code: 'UNAVAILABLE', status: 503 });
  await writeFile(path, `u:${hash('back')}\n`);
  assert.ok(await isIn('u', 'back'));
});

test('a file that can not be used stops the start', async (t) => {
  const path = join(await temporaryFolder(t), 'htpasswd');
  await writeFile(path, 'no entry\n');
  await assert.rejects(createHtpasswd({ path, realm: 'r', compare: createBcryptThread(), logger }), /line 1/);
});

test('a missing file is made with one user, for its owner alone', async (t) => {
  const path = join(await temporaryFolder(t), 'deeper', 'htpasswd');
  const password = await provisionHtpasswd(path);
  assert.match(password ?? '', /^[\w-]{43}$/);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const { authenticate } = await createHtpasswd({ path, realm: 'r', compare: createBcryptThread(), logger });
  assert.equal((await authenticate(basic('docker', password ?? ''), [])).name, 'docker');
  const before = await readFile(path, 'utf8');
  assert.equal(await provisionHtpasswd(path), undefined);
  assert.equal(await readFile(path, 'utf8'), before);
});

test('too many guesses at once are turned away, and the event loop does not feel them', async () => {
  const compare = createBcryptThread();
  const slow = hashSync('secret', 6);
  const guesses = Array.from({ length: 130 }, () => compare('guess', slow));
  let turns = 0;
  const counting = setInterval(() => turns++, 1);
  const answers = await Promise.allSettled(guesses);
  clearInterval(counting);
  const refused = answers.filter((answer) => answer.status === 'rejected');
  assert.equal(refused.length, 30);
  for (const { reason } of refused) assert.equal((reason as { code: string }).code, 'TOOMANYREQUESTS');
  assert.ok(turns > 20, `${turns} turns`);
});

test('what was right is forgotten after its time, and when there are too many', () => {
  let now = 0;
  const verified = createVerifiedCredentials({ lifetimeMs: 100, now: () => now });
  const one = { user: 'u', password: 'p' };
  verified.add(one, 'hash');
  assert.ok(verified.has(one, 'hash'));
  assert.ok(!verified.has(one, 'other hash') && !verified.has({ user: 'up', password: '' }, 'hash'));
  now = 100;
  assert.ok(!verified.has(one, 'hash'));
  verified.add(one, 'hash');
  for (let i = 0; i < 1000; i++) verified.add({ user: `u${i}`, password: 'p' }, 'hash');
  assert.ok(!verified.has(one, 'hash'));
  assert.ok(verified.has({ user: 'u999', password: 'p' }, 'hash'));
});
