import assert from 'node:assert/strict';
import { test } from 'node:test';
import { integer, listenAddress, oneOf, readSettings, text, type Setting, type SettingsError } from './settings.ts';

const settings = {
  level: { flag: 'log-level', env: 'LOG_LEVEL', default: 'info', help: 'Level.', parse: oneOf('info', 'debug') },
  node: { flag: 'node', env: 'NODE', help: 'Name of the node.', parse: text } satisfies Setting<string>,
  workers: { flag: 'workers', env: 'WORKERS', default: '2', help: 'Workers.', parse: integer },
};

test('a flag wins over the environment, which wins over the default', () => {
  const values = readSettings('x', settings, ['--log-level', 'debug'], { LOG_LEVEL: 'info', NODE: 'a' });
  assert.deepEqual(values, { level: 'debug', node: 'a', workers: 2 });
});

test('all problems are listed at once', () => {
  assert.throws(
    () => readSettings('x', settings, [], { LOG_LEVEL: 'loud', WORKERS: '-1' }),
    (error: SettingsError) =>
      error.exitCode === 2 &&
      /LOG_LEVEL/.test(error.message) &&
      /NODE/.test(error.message) &&
      /WORKERS/.test(error.message),
  );
});

test('--help is the manual and no failure; an unknown flag is one', () => {
  assert.throws(
    () => readSettings('x', settings, ['--help'], {}),
    (error: SettingsError) => error.exitCode === 0,
  );
  assert.throws(() => readSettings('x', settings, ['--nope'], {}), /--nope/);
});

test('addresses', () => {
  assert.deepEqual(listenAddress(':8080'), { host: '', port: 8080 });
  assert.deepEqual(listenAddress('[::1]:1'), { host: '::1', port: 1 });
  assert.throws(() => listenAddress('8080'));
  assert.throws(() => listenAddress(':70000'));
});
