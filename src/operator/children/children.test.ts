import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { load } from 'js-yaml';
import type { Registry } from '#operator/api/registry.ts';
import { registryOf } from '#test/support/registry-fixture.ts';
import { claim, claimName } from './claim.ts';
import { configChecksum, configMap } from './config-map.ts';
import { deployment } from './deployment.ts';
import { imageReference } from './image.ts';
import type { Claim, Deployment } from './kinds.ts';
import { networkPolicy } from './network-policy.ts';
import { podDisruptionBudget } from './pod-disruption-budget.ts';
import { serviceAccount } from './service-account.ts';
import { metricsService, service } from './service.ts';

const image = 'registry-operator:1';
const deploymentOf = (registry: Registry): Deployment => deployment(registry, image, configMap(registry));
const podOf = (registry: Registry) => {
  const pod = deploymentOf(registry).spec.template.spec;
  assert.ok(pod?.containers[0]);
  return { pod, container: pod.containers[0] };
};

test('every child has the labels by which it is found, in the namespace of its Registry', () => {
  const registry = registryOf();
  const children = [
    serviceAccount(registry),
    claim(registry),
    configMap(registry),
    deploymentOf(registry),
    service(registry),
    metricsService(registry),
    podDisruptionBudget(registry),
    networkPolicy(registry, 'operator'),
  ];
  for (const child of children) {
    assert.ok(child);
    assert.equal(child.metadata.namespace, 'default');
    for (const [label, value] of Object.entries({
      'app.kubernetes.io/managed-by': 'registry-operator',
      'app.kubernetes.io/name': 'registry',
      'app.kubernetes.io/instance': 'kind-registry',
      'registry-operator.dev/registry': 'kind-registry',
    })) {
      assert.equal(child.metadata.labels?.[label], value, `${child.kind} ${label}`);
    }
  }
});

test('the same Registry gives the same text, always', () => {
  const make = (): string =>
    JSON.stringify([deploymentOf(registryOf()), service(registryOf()), networkPolicy(registryOf(), 'operator')]);
  assert.equal(make(), make());
});

suite('Deployment', () => {
  test('restricted: no root, no privileges, nothing writable but the data', () => {
    const { pod, container } = podOf(registryOf());
    assert.equal(pod.automountServiceAccountToken, false);
    assert.equal(pod.securityContext?.runAsNonRoot, true);
    assert.equal(pod.securityContext?.seccompProfile?.type, 'RuntimeDefault');
    assert.deepEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    const writable = container.volumeMounts?.filter(({ readOnly }) => !readOnly).map(({ mountPath }) => mountPath);
    assert.deepEqual(writable, ['/var/lib/registry']);
  });

  test('a volume for one Pod is let go before the next Pod starts', () => {
    assert.deepEqual(deploymentOf(registryOf()).spec.strategy, { type: 'Recreate' });
    assert.equal(deploymentOf(registryOf({ storage: { existingClaim: 'x' } })).spec.strategy?.type, 'Recreate');
    const shared = { persistentVolumeClaim: { accessModes: ['ReadWriteMany'] } };
    assert.equal(deploymentOf(registryOf({ storage: shared })).spec.strategy?.type, 'RollingUpdate');
  });

  test('a change of the configuration replaces the Pods, another one does not', () => {
    const checksum = (spec: object): string => configChecksum(configMap(registryOf(spec)));
    assert.notEqual(checksum({}), checksum({ logLevel: 'debug' }));
    assert.equal(checksum({}), checksum({ hosts: ['a:5000'] }));
    const annotations = deploymentOf(registryOf()).spec.template.metadata?.annotations;
    assert.equal(annotations?.['registry-operator.dev/config-checksum'], checksum({}));
  });

  test("the owner's labels never displace those by which Pods are found", () => {
    const pod = { labels: { team: 'a', 'app.kubernetes.io/name': 'x' }, annotations: { note: 'n' } };
    const { metadata } = deploymentOf(registryOf({ pod })).spec.template;
    assert.equal(metadata?.labels?.['team'], 'a');
    assert.equal(metadata?.labels?.['app.kubernetes.io/name'], 'registry');
    assert.equal(metadata?.annotations?.['note'], 'n');
  });

  test('the data lies where the Registry says', () => {
    const volume = (storage: object) => podOf(registryOf({ storage })).pod.volumes?.find(({ name }) => name === 'data');
    assert.equal(volume({ persistentVolumeClaim: {} })?.persistentVolumeClaim?.claimName, 'kind-registry');
    assert.equal(volume({ existingClaim: 'old' })?.persistentVolumeClaim?.claimName, 'old');
    assert.deepEqual(volume({ emptyDir: { sizeLimit: '1Gi' } })?.emptyDir, { sizeLimit: '1Gi' });
    assert.equal(claimName(registryOf({ storage: { emptyDir: {} } })), undefined);
  });

  test('resources are text, as the API server stores them', () => {
    const resources = { limits: { cpu: 2, memory: '1Gi' } };
    const { container } = podOf(registryOf({ pod: { resources } }));
    assert.deepEqual(container.resources, { limits: { cpu: '2', memory: '1Gi' } });
    assert.deepEqual(podOf(registryOf()).container.resources, { requests: { cpu: '50m', memory: '128Mi' } });
  });
});

suite('ConfigMap', () => {
  const config = (spec: object = {}) =>
    load(configMap(registryOf(spec)).data?.['config.yml'] ?? '') as {
      log: { level: string };
      storage: { delete: { enabled: boolean }; maintenance?: object };
      extensions?: object;
    };

  test("says in distribution's words what the Registry wants", () => {
    assert.deepEqual(config(), {
      version: 0.1,
      log: { level: 'info', formatter: 'json' },
      storage: { filesystem: { rootdirectory: '/var/lib/registry' }, delete: { enabled: true } },
      http: {
        addr: ':5000',
        debug: { addr: ':5001', prometheus: { enabled: true, path: '/metrics' } },
        draintimeout: '20s',
      },
      health: { storagedriver: { enabled: true, interval: '10s', threshold: 3 } },
    });
  });

  test('read-only, and without deletes', () => {
    assert.equal(config().storage.maintenance, undefined);
    assert.deepEqual(config({ server: { accessMode: 'ReadOnly' } }).storage.maintenance, {
      readonly: { enabled: true },
    });
    assert.equal(config({ server: { deletes: 'Disabled' } }).storage.delete.enabled, false);
  });

  test('garbage is collected in the server when the Registry says so', () => {
    assert.equal(config().extensions, undefined);
    assert.deepEqual(config({ garbageCollection: {} }).extensions, {
      garbagecollection: { interval: '1h', minage: '1h', deleteuntagged: false },
    });
    assert.deepEqual(config({ garbageCollection: { interval: '24h', minAge: '2h', untagged: 'Delete' } }).extensions, {
      garbagecollection: { interval: '24h', minage: '2h', deleteuntagged: true },
    });
  });
});

suite('Service', () => {
  test('opens one port to the outside, and metrics to the inside only', () => {
    const nodePort = registryOf({ service: { type: 'NodePort', nodePort: 30_500 } });
    assert.deepEqual(service(nodePort).spec.ports, [
      { name: 'registry', port: 5000, targetPort: 'registry', protocol: 'TCP', nodePort: 30_500 },
    ]);
    assert.equal(metricsService(nodePort).spec.type, 'ClusterIP');
    assert.equal(metricsService(nodePort).metadata.name, 'kind-registry-metrics');
  });

  test('gets a lost address back, but its owner has the last word', () => {
    assert.equal(service(registryOf()).spec.clusterIP, undefined);
    assert.equal(service(registryOf(), '10.96.0.7').spec.clusterIP, '10.96.0.7');
    const fixed = registryOf({ service: { clusterIP: '10.96.0.8' } });
    assert.equal(service(fixed, '10.96.0.7').spec.clusterIP, '10.96.0.8');
  });
});

suite('claim', () => {
  const existing = {
    spec: { accessModes: ['ReadWriteOncePod'], storageClassName: 'slow', resources: { requests: { storage: '20Gi' } } },
  } as unknown as Claim;

  test('belongs to the Registry only if it is to go with it', () => {
    assert.equal(claim(registryOf())?.metadata.ownerReferences, undefined);
    const storage = { persistentVolumeClaim: {}, deletionPolicy: 'Delete' };
    assert.equal(claim(registryOf({ storage }))?.metadata.ownerReferences?.[0]?.uid, 'u-1');
    assert.equal(claim(registryOf({ storage: { existingClaim: 'x' } })), undefined);
  });

  test('one that is there is taken as it is, and never shrinks', () => {
    const { spec } = claim(registryOf(), existing) ?? {};
    assert.deepEqual(spec?.accessModes, ['ReadWriteOncePod']);
    assert.equal(spec?.storageClassName, 'slow');
    assert.equal(spec?.resources?.requests?.['storage'], '20Gi');
    const larger = registryOf({ storage: { persistentVolumeClaim: { size: '0.1Ti' } } });
    assert.equal(claim(larger, existing)?.spec.resources?.requests?.['storage'], '0.1Ti');
  });

  test('without a class it is left to the cluster', () => {
    assert.ok(!('storageClassName' in (claim(registryOf())?.spec ?? {})));
  });
});

suite('NetworkPolicy', () => {
  const ingress = (spec: object, operatorNamespace?: string) =>
    networkPolicy(registryOf(spec), operatorNamespace)?.spec.ingress as {
      from?: unknown[];
      ports: { port: number }[];
    }[];

  test('lets everybody pull, and the operator read metrics', () => {
    const [pulls, metrics] = ingress({}, 'operator');
    assert.deepEqual(pulls, { ports: [{ port: 5000, protocol: 'TCP' }] });
    assert.equal(metrics?.ports[0]?.port, 5001);
    assert.equal(metrics?.from?.length, 1);
  });

  test('is narrowed by from, widened by metricsFrom', () => {
    const peer = { ipBlock: { cidr: '10.0.0.0/8' } };
    const [pulls, metrics] = ingress({ networkPolicy: { from: [peer], metricsFrom: [peer] } }, 'operator');
    assert.deepEqual(pulls?.from, [peer]);
    assert.equal(metrics?.from?.length, 2);
  });

  test('lets the API server through to an operator outside of the cluster', () => {
    assert.equal(ingress({})[1]?.from, undefined);
  });

  test('can be left out, as the budget can', () => {
    assert.equal(networkPolicy(registryOf({ networkPolicy: { mode: 'Disabled' } }), 'o'), undefined);
    assert.equal(podDisruptionBudget(registryOf({ podDisruptionBudget: 'Disabled' })), undefined);
  });
});

test("the image is what the Registry names, the rest from the operator's own", () => {
  const fallback = 'example.com:5000/registry-operator:1.2';
  const digest = `sha256:${'a'.repeat(64)}`;
  const reference = (image: object): string => imageReference({ pullPolicy: 'IfNotPresent', ...image }, fallback);
  assert.equal(reference({}), fallback);
  assert.equal(reference({ tag: '2' }), 'example.com:5000/registry-operator:2');
  assert.equal(reference({ repository: 'mine' }), 'mine:1.2');
  assert.equal(reference({ repository: 'mine', tag: '2' }), 'mine:2');
  assert.equal(reference({ tag: '2', digest }), `example.com:5000/registry-operator@${digest}`);
  assert.equal(imageReference({ pullPolicy: 'Always', repository: 'mine' }, `x@${digest}`), 'mine');
});
