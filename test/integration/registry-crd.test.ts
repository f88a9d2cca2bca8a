/** The CRDs as users meet them: by kubectl, on a real API server. */
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { after, suite, test } from 'node:test';
import { startKubeApiserver } from '#test/support/kube-apiserver.ts';
import { installCrds } from '#test/support/registry-crds.ts';

const apiserver = await startKubeApiserver({ after });
await installCrds(apiserver);

const claim = { persistentVolumeClaim: { size: '10Gi' } };

function manifest(spec: object, name = 'kind-registry'): string {
  return JSON.stringify({
    apiVersion: 'registry-operator.dev/v1alpha1',
    kind: 'Registry',
    metadata: { name, namespace: 'default' },
    spec,
  });
}

const create = (spec: object, name?: string): Promise<string> =>
  apiserver.kubectl(['create', '--dry-run=server', '-o', 'json', '-f', '-'], manifest(spec, name));

async function refusal(attempt: Promise<string>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
  throw new assert.AssertionError({ message: 'the API server took it' });
}

test('the minimal resource is completed with defaults', async () => {
  const { spec } = JSON.parse(await create({ storage: { persistentVolumeClaim: {} } })) as { spec: object };
  assert.deepEqual(spec, {
    image: { pullPolicy: 'IfNotPresent' },
    logLevel: 'info',
    networkPolicy: { mode: 'Enabled' },
    nodes: { mode: 'Containerd', reachability: 'ClusterIP' },
    pod: { resources: { requests: { cpu: '50m', memory: '128Mi' } } },
    podDisruptionBudget: 'Auto',
    replicas: 1,
    server: { accessMode: 'ReadWrite', deletes: 'Enabled' },
    service: { port: 5000, type: 'ClusterIP' },
    storage: {
      deletionPolicy: 'Retain',
      minFree: 5,
      persistentVolumeClaim: { accessModes: ['ReadWriteOnce'], size: '10Gi' },
    },
  });
});

test('every example is taken, without a warning', async () => {
  const examples = globSync('examples/*registry*.yaml');
  assert.ok(examples.length >= 4);
  for (const file of examples) await apiserver.kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', file]);
});

suite('a bad resource is refused with a sentence that says what to change', () => {
  const cases: [name: string, spec: object, sentence: RegExp][] = [
    ['no storage', {}, /spec.storage: Required value/],
    [
      'two kinds of storage',
      { storage: { ...claim, existingClaim: 'x' } },
      /needs exactly one of persistentVolumeClaim/,
    ],
    ['no kind of storage', { storage: {} }, /needs exactly one of persistentVolumeClaim, existingClaim and emptyDir/],
    ['a retained emptyDir', { storage: { emptyDir: {} } }, /emptyDir cannot be retained: set deletionPolicy to Delete/],
    [
      'a deleted existing claim',
      { storage: { existingClaim: 'x', deletionPolicy: 'Delete' } },
      /existing claim is never deleted by the operator: leave deletionPolicy out/,
    ],
    ['size that is none', { storage: { persistentVolumeClaim: { size: '10GB' } } }, /persistentVolumeClaim.size/],
    ['replicas on one volume', { storage: claim, replicas: 2 }, /spec.replicas:.*more than one replica needs a volume/],
    ['too many replicas', { storage: claim, replicas: 11 }, /less than or equal to 10/],
    [
      'collecting all the time',
      { storage: claim, garbageCollection: { interval: '1s' } },
      /interval is the time between two collections: at least 1m/,
    ],
    ['no time for a push', { storage: claim, garbageCollection: { minAge: '0s' } }, /minAge protects pushes/],
    ['a time without a unit', { storage: claim, garbageCollection: { minAge: '60' } }, /garbageCollection.minAge/],
    [
      'nodePort without NodePort',
      { storage: claim, service: { nodePort: 30_500 } },
      /spec.service.nodePort:.*set type, or leave nodePort out/,
    ],
    [
      'NodeIP without a node port',
      { storage: claim, nodes: { reachability: 'NodeIP' } },
      /spec.nodes.reachability:.*set service.type to NodePort/,
    ],
    ['a URL as host', { storage: claim, hosts: ['http://kind-registry:5000'] }, /leave out the scheme \(http:\/\/\)/],
    ['a path in a host', { storage: claim, hosts: ['kind-registry:5000/x'] }, /leave out the scheme .* and the path/],
    ['an upper-case host', { storage: claim, hosts: ['Kind:5000'] }, /in lower case/],
    ['a port that is none', { storage: claim, hosts: ['kind-registry:65536'] }, /a host is host\[:port\]/],
    ['a host that is a folder', { storage: claim, hosts: ['kind-registry'] }, /folder of docker.io: add the port/],
    ['a host twice', { storage: claim, hosts: ['a:5000', 'a:5000'] }, /Duplicate value/],
    ['17 hosts', { storage: claim, hosts: Array.from({ length: 17 }, (_, i) => `h${i}:5000`) }, /must have at most 16/],
    ['a URL as hosting host', { storage: claim, localRegistryHosting: { host: 'http://localhost:5001' } }, /scheme/],
    [
      'peers of no policy',
      { storage: claim, networkPolicy: { mode: 'Disabled', from: [] } },
      /from and metricsFrom need mode Enabled/,
    ],
    [
      'a choice that is none',
      { storage: claim, server: { deletes: 'Off' } },
      /supported values: "Enabled", "Disabled"/,
    ],
    ['a digest that is none', { storage: claim, image: { digest: 'latest' } }, /spec.image.digest/],
    ['a field that is none', { storage: claim, host: 'kind-registry:5000' }, /unknown field "spec.host"/],
  ];
  for (const [name, spec, sentence] of cases) {
    test(name, async () => assert.match(await refusal(create(spec)), sentence));
  }

  test('a name that no Service can have', async () => {
    assert.match(await refusal(create({ storage: claim }, '5000')), /metadata.name also names the Service/);
    assert.match(await refusal(create({ storage: claim }, 'a'.repeat(56))), /at most 55 lower-case letters/);
    await create({ storage: claim }, 'a'.repeat(55));
  });
});

suite('what cannot change is refused with the way out', () => {
  const cases: [name: string, before: object, after: object, sentence: RegExp][] = [
    [
      'a volume cannot shrink',
      { storage: claim },
      { storage: { persistentVolumeClaim: { size: '9Gi' } } },
      /may only grow: set size to what it was, or more/,
    ],
    ['the kind of storage', { storage: claim }, { storage: { existingClaim: 'x' } }, /kind of storage cannot change/],
    [
      'the class of a volume',
      { storage: { persistentVolumeClaim: { storageClassName: 'a' } } },
      { storage: { persistentVolumeClaim: { storageClassName: 'b' } } },
      /class of a volume cannot change: create another Registry/,
    ],
    [
      'the access modes',
      { storage: claim },
      { storage: { persistentVolumeClaim: { accessModes: ['ReadWriteMany'] } } },
      /access modes of a volume cannot change/,
    ],
    [
      'an existing claim',
      { storage: { existingClaim: 'a' } },
      { storage: { existingClaim: 'b' } },
      /existingClaim cannot change/,
    ],
    [
      'the address of the Service',
      { storage: claim, service: { clusterIP: '10.0.0.50' } },
      { storage: claim, service: { clusterIP: '10.0.0.51' } },
      /clusterIP cannot change, since nodes use it/,
    ],
  ];
  for (const [index, [name, before, changed, sentence]] of cases.entries()) {
    test(name, async () => {
      const registry = `change-${'abcdefgh'[index]}`;
      await apiserver.kubectl(['create', '-f', '-'], manifest(before, registry));
      const attempt = apiserver.kubectl(['replace', '-f', '-'], manifest(changed, registry));
      assert.match(await refusal(attempt), sentence);
      await apiserver.kubectl(['delete', 'registry', registry]);
    });
  }

  test('a volume may grow, and may be given a class that it had not', async () => {
    await apiserver.kubectl(['create', '-f', '-'], manifest({ storage: claim }, 'grow'));
    const bigger = { persistentVolumeClaim: { size: '0.02Ti', storageClassName: 'standard' } };
    await apiserver.kubectl(['replace', '-f', '-'], manifest({ storage: bigger }, 'grow'));
    await apiserver.kubectl(['delete', 'registry', 'grow']);
  });
});

test('kubectl explain is a manual', async () => {
  const manual = await apiserver.kubectl(['explain', 'registry.spec.storage']);
  assert.match(manual, /deletionPolicy\s+<string>/);
  assert.match(manual, /enum: Retain, Delete/);
  assert.match(manual, /a later\s+Registry of the same name uses it again/);
  for (const resource of ['registry', 'nodemirror']) {
    const text = await apiserver.kubectl(['explain', resource, '--recursive']);
    assert.match(text, /KIND: +(Registry|NodeMirror)/);
  }
});

test('kubectl get shows the columns, and kubectl scale works', async () => {
  await apiserver.kubectl(['create', '-f', '-'], manifest({ storage: claim, hosts: ['a:5000'] }, 'columns'));
  const wide = await apiserver.kubectl(['get', 'reg', '-o', 'wide']);
  assert.match(wide, /NAME +READY +ENDPOINT +REPOS +TAGS +USED +NODES +AGE +HOSTS +REASON/);
  await apiserver.kubectl(['scale', 'registry', 'columns', '--replicas=0']);
  assert.equal(await apiserver.kubectl(['get', 'reg', 'columns', '-o', 'jsonpath={.spec.replicas}']), '0');
  const refused = apiserver.kubectl(['scale', 'registry', 'columns', '--replicas=2']);
  assert.match(await refusal(refused), /more than one replica needs a volume/);
  assert.match(
    await apiserver.kubectl(['get', 'registries', '-A', '-o', 'name']),
    /registry.registry-operator.dev\/columns/,
  );
  await apiserver.kubectl(['delete', 'registry', 'columns']);
});
