import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAgentSettings } from './settings.ts';

const required = { NODE_NAME: 'a', NODE_IP: '172.18.0.2', POD_NAMESPACE: 'registry-operator' };

test('the defaults are what the chart relies on', () => {
  assert.deepEqual(readAgentSettings([], required), {
    nodeName: 'a',
    nodeIP: '172.18.0.2',
    namespace: 'registry-operator',
    mirrorsConfigMap: 'registry-operator-mirrors',
    certsDirectory: '/etc/containerd/certs.d',
    syncPeriodMs: 60_000,
    healthAddress: { host: '127.0.0.1', port: 18_082 },
    logLevel: 'info',
  });
});

test('every bad value is named', () => {
  const bad = { CERTS_DIR: 'certs.d', SYNC_PERIOD: '5ms', HEALTH_ADDR: '18082', LOG_LEVEL: 'loud' };
  assert.throws(
    () => readAgentSettings([], bad),
    (error: Error) =>
      [...Object.keys(required), ...Object.keys(bad)].every((variable) => error.message.includes(variable)),
  );
  const wrong = { CERTS_DIR: '/etc/../root', NODE_IP: 'node-a', NODE_NAME: '', POD_NAMESPACE: '' };
  for (const [variable, value] of Object.entries(wrong)) {
    assert.throws(() => readAgentSettings([], { ...required, [variable]: value }), new RegExp(variable));
  }
});

test('a slash at the end of the folder makes no difference', () => {
  assert.equal(readAgentSettings([], { ...required, CERTS_DIR: '/certs.d//' }).certsDirectory, '/certs.d');
});
