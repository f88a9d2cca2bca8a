import assert from 'node:assert/strict';
import { Agent as HttpsAgent } from 'node:https';
import { test } from 'node:test';
import { createAgents } from './agents.ts';

const server = 'https://10.96.0.1:443';

test('connections are kept for as long as the identity is the same, by its bytes', () => {
  const agentFor = createAgents();
  const first = agentFor(server, { ca: 'one', cert: Buffer.from('cert') });
  assert.ok(first instanceof HttpsAgent);
  assert.equal(agentFor(server, { ca: Buffer.from('one'), cert: 'cert' }), first);
});

test('a CA, a certificate or a server that changed begins new ones', () => {
  const agentFor = createAgents();
  const agents = [
    agentFor(server, { ca: 'one' }),
    agentFor(server, { ca: 'two' }),
    agentFor(server, { ca: 'two', cert: 'c', key: 'k' }),
    agentFor(server, { ca: 'two', cert: 'c', key: 'k2' }),
    agentFor('https://10.96.0.2:443', { ca: 'two', cert: 'c', key: 'k2' }),
    agentFor('http://127.0.0.1:8001', {}),
  ];
  assert.equal(new Set(agents).size, agents.length);
});
