import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Registry } from '#operator/api/registry.ts';
import type { Service } from '#operator/children/kinds.ts';
import { serializeMirrors } from '#shared/node-mirrors.ts';
import { registryFixture, serviceFixture, servicePort } from '#test/support/nodes.ts';
import { nodeEndpoints, planMirrors, wantsNodes } from './registry-mirrors.ts';

const clusterIP = { clusterIP: '10.96.0.7', ports: [servicePort] };

function plan(registries: Registry[], services: Service[] = registries.map(addressed)) {
  return planMirrors(registries, ({ name }) => services.find(({ metadata }) => metadata.name === name));
}

const addressed = ({ metadata }: Registry): Service => serviceFixture(metadata.name, clusterIP);

test("every host of a Registry leads to its Service's address", () => {
  const registry = { namespace: 'default', name: 'kind-registry', uid: 'uid-kind-registry' };
  assert.deepEqual(plan([registryFixture({ hosts: ['kind-registry:5000', 'localhost:5001'] })]), {
    mirrors: {
      version: 1,
      mirrors: [
        { host: 'kind-registry:5000', registry, endpoints: ['http://10.96.0.7:5000'] },
        { host: 'localhost:5001', registry, endpoints: ['http://10.96.0.7:5000'] },
      ],
    },
    conflicts: [],
  });
});

test('addresses by reachability and family', () => {
  const registry = registryFixture();
  const dual = { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00::7'], ports: [servicePort] };
  assert.deepEqual(nodeEndpoints(registry, serviceFixture('x', dual)), [
    'http://10.96.0.7:5000',
    'http://[fd00::7]:5000',
  ]);
  const nodeIP = registryFixture({ reachability: 'NodeIP' });
  assert.deepEqual(nodeEndpoints(nodeIP, serviceFixture('x', clusterIP)), ['http://{nodeIP}:30500']);
  assert.deepEqual(nodeEndpoints(nodeIP, serviceFixture('x', { ports: [{ name: 'registry', port: 5000 }] })), []);
  const other = { ...clusterIP, ports: [{ name: 'registry', port: 80 }] };
  assert.deepEqual(nodeEndpoints(registry, serviceFixture('x', other)), ['http://10.96.0.7:80']);
  assert.deepEqual(nodeEndpoints(registry, serviceFixture('x', { clusterIP: 'None', ports: [servicePort] })), []);
  assert.deepEqual(nodeEndpoints(registry, serviceFixture('x', { clusterIP: '10.96.0.7' })), []);
  assert.deepEqual(nodeEndpoints(registry, undefined), []);
});

test('nodes have nothing to do with a Registry without hosts, with nodes disabled, or that is going', () => {
  const none = [
    registryFixture({ hosts: [] }),
    registryFixture({ mode: 'Disabled' }),
    registryFixture({ deleted: true }),
  ];
  assert.deepEqual(none.map(wantsNodes), [false, false, false]);
  assert.deepEqual(plan(none).mirrors.mirrors, []);
});

test('the older of two Registries has the host; of the same age the one that sorts first', () => {
  const old = registryFixture({ name: 'z-old', created: '2026-01-01T00:00:00Z', hosts: ['a:1', 'b:1'] });
  const young = registryFixture({ name: 'a-young', created: '2026-02-01T00:00:00Z', hosts: ['b:1', 'c:1'] });
  const { mirrors, conflicts } = plan([young, old]);
  assert.deepEqual(
    mirrors.mirrors.map(({ host, registry }) => `${host} ${registry.name}`),
    ['a:1 z-old', 'b:1 z-old', 'c:1 a-young'],
  );
  assert.deepEqual(
    conflicts.map(({ host, winner, loser }) => [host, winner.name, loser.name]),
    [['b:1', 'z-old', 'a-young']],
  );

  const twins = [registryFixture({ name: 'b' }), registryFixture({ name: 'a' })];
  assert.equal(plan(twins).conflicts[0]?.winner.name, 'a');
});

test('the host of a Registry that is going is free for the next', () => {
  const going = registryFixture({ name: 'old', created: '2026-01-01T00:00:00Z', deleted: true });
  const { mirrors, conflicts } = plan([going, registryFixture({ name: 'new' })]);
  assert.deepEqual([mirrors.mirrors[0]?.registry.name, conflicts], ['new', []]);
});

test('without an address nodes keep what they have, if it is from this very Registry', () => {
  const registry = registryFixture();
  const { mirrors } = plan([registry]);
  assert.deepEqual(planMirrors([registry], () => undefined, mirrors).mirrors, mirrors);
  assert.deepEqual(planMirrors([registry], () => undefined).mirrors.mirrors, []);
  const other = { ...registry, metadata: { ...registry.metadata, uid: 'another' } };
  assert.deepEqual(planMirrors([other], () => undefined, mirrors).mirrors.mirrors, []);
});

const anyRegistry = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    created: fc.constantFrom('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z', '2026-01-03T00:00:00Z'),
    hosts: fc.uniqueArray(fc.constantFrom('h:1', 'h:2', 'h:3', 'h:4')),
    deleted: fc.boolean(),
  },
  { noNullPrototype: true },
);
const anyRegistries = fc.uniqueArray(anyRegistry, { selector: ({ name }) => name });

test('whatever is claimed: each host has one owner, none of them younger than a loser, in any order of the list', () => {
  fc.assert(
    fc.property(anyRegistries, (fixtures) => {
      const all = fixtures.map(registryFixture);
      const { mirrors, conflicts } = plan(all);
      const hosts = mirrors.mirrors.map(({ host }) => host);
      assert.equal(new Set(hosts).size, hosts.length);
      const claimed = new Set(all.filter(wantsNodes).flatMap(({ spec }) => spec.hosts ?? []));
      assert.deepEqual(new Set(hosts), claimed);
      const age = (name: string) => fixtures.find((fixture) => fixture.name === name)?.created ?? '';
      for (const { host, winner, loser } of conflicts) {
        assert.ok(age(winner.name) <= age(loser.name));
        assert.equal(mirrors.mirrors.find((mirror) => mirror.host === host)?.registry.name, winner.name);
      }
      assert.equal(serializeMirrors(plan(all.toReversed()).mirrors), serializeMirrors(mirrors));
    }),
  );
});
