import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { main } from './main.ts';
import { readOperatorSettings } from './settings.ts';

function standardError(context: TestContext): () => string {
  const write = context.mock.method(process.stderr, 'write', () => true);
  return () => write.mock.calls.map(({ arguments: [text] }) => String(text)).join('');
}

test('settings that are missing or wrong end the program with all of them named', async (context) => {
  const words = standardError(context);
  assert.equal(await main([], { METRICS_ADDR: '8080' }, AbortSignal.abort()), 2);
  assert.match(words(), /POD_NAMESPACE/);
  assert.match(words(), /REGISTRY_IMAGE/);
  assert.match(words(), /METRICS_ADDR.*expected host:port or :port/);
});

test('--help is a manual, for both commands', async (context) => {
  const words = standardError(context);
  assert.equal(await main(['--help'], {}, AbortSignal.abort()), 0);
  assert.match(words(), /--registry-image {2}\(REGISTRY_IMAGE, required\)/);
  assert.equal(await main(['uninstall', '--help'], {}, AbortSignal.abort()), 0);
  assert.match(words(), /operator uninstall/);
});

test('the defaults are those of the chart', () => {
  const settings = readOperatorSettings([], { POD_NAMESPACE: 'ns', REGISTRY_IMAGE: 'i', WATCH_NAMESPACES: 'a, b,' });
  assert.deepEqual(settings.watchNamespaces, ['a', 'b']);
  assert.equal(settings.mirrorsConfigMap, 'registry-operator-mirrors');
  assert.equal(settings.leaderElection, true);
  assert.equal(settings.removalDeadlineMs, 60_000);
  assert.deepEqual(settings.healthAddress, { host: '', port: 8081 });
});
