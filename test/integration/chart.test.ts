/** The chart against a real API server: what it renders is taken as it is, and bad values are refused before. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadAll } from 'js-yaml';
import { run } from '#scripts/lib/command.ts';
import { root } from '#scripts/lib/paths.ts';
import { needProgram } from '#scripts/lib/programs.ts';
import { startKubeApiserver } from '#test/support/kube-apiserver.ts';

const chart = join(root, 'charts', 'registry-operator');
const namespace = 'registry-operator';

interface Rendered {
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, string> };
  spec?: { replicas?: number; template?: { spec: PodSpec } };
}

interface PodSpec {
  hostNetwork?: boolean;
  securityContext: Record<string, unknown>;
  containers: { image: string; securityContext: Record<string, unknown>; env: { name: string; value?: string }[] }[];
}

const apiserver = await startKubeApiserver({ after });
const helm = await needProgram('helm', () => {});

/** The text of all objects; `values` as `--set` takes them. */
function template(values: string[] = [], release = 'registry-operator'): Promise<string> {
  return run(helm, [
    'template',
    release,
    chart,
    '--namespace',
    namespace,
    ...values.flatMap((value) => ['--set', value]),
  ]);
}

async function objects(values: string[] = [], release?: string): Promise<Rendered[]> {
  const all = loadAll(await template(values, release)) as (Rendered | null)[];
  return all.filter((object) => object !== null);
}

function pod(rendered: Rendered[], kind: string): PodSpec {
  const spec = rendered.find((object) => object.kind === kind)?.spec?.template?.spec;
  assert.ok(spec, `no ${kind}`);
  return spec;
}

describe('the chart', () => {
  it('passes helm lint', async () => {
    await run(helm, ['lint', '--strict', chart]);
  });

  const everything = [
    'replicaCount=3',
    'watchNamespaces={default,kube-public}',
    'imagePullSecrets[0].name=secret',
    'priorityClassName=system-cluster-critical',
    'podAnnotations.a=b',
    'podLabels.a=b',
    'serviceAccount.annotations.a=b',
    'tolerations[0].operator=Exists',
    'affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].key=metadata.name',
    'affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].operator=In',
    'affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchFields[0].values[0]=x',
    'mirrorAgent.maxUnavailable=1',
    'mirrorAgent.podAnnotations.a=b',
    'mirrorAgent.podLabels.a=b',
    'mirrorAgent.certsDir=/var/lib/certs.d',
    `image.digest=sha256:${'0'.repeat(64)}`,
  ];

  for (const [title, values] of [
    ['with its defaults', []],
    ['with every value set', everything],
    [
      'without agents, definitions and the last hook',
      ['mirrorAgent.enabled=false', 'crds.install=false', 'uninstall.enabled=false'],
    ],
  ] as const) {
    it(`renders objects that the API server takes, ${title}`, async () => {
      await apiserver.kubectl(
        ['apply', '-f', '-'],
        `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"${namespace}"}}`,
      );
      const said = await apiserver.kubectl(
        ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'],
        await template([...values]),
      );
      assert.match(said, /deployment\.apps\/registry-operator serverside-applied/);
    });
  }

  it('grants nothing outside of the namespaces that are watched but what belongs to no namespace', async () => {
    const roles = (await objects(['watchNamespaces={a,b}'])) as (Rendered & { rules?: { resources: string[] }[] })[];
    const cluster = roles.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'registry-operator');
    const namespaced = new Set(['configmaps', 'services', 'deployments', 'pods', 'persistentvolumeclaims', 'secrets']);
    const granted = cluster?.rules?.flatMap(({ resources }) => resources) ?? [];
    assert.deepEqual(
      granted.filter((resource) => namespaced.has(resource)),
      [],
    );
    const places = roles.filter(({ kind, metadata }) => kind === 'Role' && metadata.name.endsWith('-registries'));
    assert.deepEqual(
      places.map(({ metadata }) => metadata.namespace),
      ['a', 'b'],
    );
  });

  it('runs the operator restricted, and the agent as a root that may do nothing', async () => {
    const rendered = await objects();
    const [operator, agent] = [pod(rendered, 'Deployment'), pod(rendered, 'DaemonSet')];
    assert.equal(operator.securityContext['runAsNonRoot'], true);
    assert.equal(agent.securityContext['runAsUser'], 0);
    assert.ok(agent.hostNetwork && !operator.hostNetwork);
    for (const container of [...operator.containers, ...agent.containers]) {
      const shared = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
      assert.deepEqual(container.securityContext, shared);
    }
  });

  it('names things after its release, and tells the programs those names', async () => {
    const rendered = await objects([], 'other');
    const values = Object.fromEntries(
      pod(rendered, 'Deployment').containers[0]?.env.map(({ name, value }) => [name, value]) ?? [],
    );
    assert.equal(values['MIRRORS_CONFIGMAP'], 'other-registry-operator-mirrors');
    assert.equal(values['MIRROR_AGENT_DAEMONSET'], rendered.find(({ kind }) => kind === 'DaemonSet')?.metadata.name);
    assert.equal(values['REGISTRY_IMAGE'], pod(rendered, 'Deployment').containers[0]?.image);
  });

  it('keeps the CustomResourceDefinitions on uninstall', async () => {
    const definitions = (await objects()).filter(({ kind }) => kind === 'CustomResourceDefinition');
    assert.equal(definitions.length, 2);
    for (const { metadata } of definitions) assert.equal(metadata.annotations?.['helm.sh/resource-policy'], 'keep');
  });

  for (const [value, problem] of [
    ['image.repo=x', /image.*repo/],
    ['logLevel=loud', /logLevel/],
    ['mirrorAgent.certsDir=certs.d', /certsDir/],
    ['mirrorAgent.syncPeriod=60', /syncPeriod/],
    ['watchNamespaces={A_B}', /watchNamespaces/],
    ['metrics.port=0', /port/],
  ] as const) {
    it(`refuses ${value}`, async () => {
      await assert.rejects(template([value]), problem);
    });
  }
});
