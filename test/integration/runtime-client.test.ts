import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { addFinalizer, removeFinalizer } from '#operator/runtime/finalizers.ts';
import type { Credentials } from '#shared/kube/credentials.ts';
import { isFailure } from '#shared/kube/failure.ts';
import { createKubeClient } from '#shared/kube/http-client.ts';
import { inClusterCredentials } from '#shared/kube/in-cluster.ts';
import { kubeConfigCredentials } from '#shared/kube/kube-config.ts';
import { KubeError, type KubeClient, type KubeObject, type ResourceType } from '#shared/kube/kube-client.ts';
import type { KubeObserver } from '#shared/kube/observer.ts';
import { fakeClock } from '#test/support/fake-clock.ts';
import { proxyCredentials, startHostileProxy } from '#test/support/hostile-proxy.ts';
import { startKubeApiserver } from '#test/support/kube-apiserver.ts';
import { temporaryFolder } from '#test/support/temporary.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

interface Deployment extends KubeObject {
  spec: { replicas?: number; selector: object; template: object };
  status?: { replicas?: number; observedGeneration?: number };
}

const configMaps: ResourceType = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
const deployments: ResourceType = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
};
const namespaces: ResourceType = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };

const apiserver = await startKubeApiserver({ after });
const client = await apiserver.client();

function configMap(name: string, data: Record<string, string> = {}, namespace = 'default'): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

function deployment(name: string): Deployment {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'main:1' }] } },
    },
  };
}

const named = (name: string): { namespace: string; name: string } => ({ namespace: 'default', name });

describe('one object', () => {
  test('is made, read, changed in four ways and removed', async () => {
    assert.equal(await client.get(configMaps, named('verbs')), undefined);
    const created = await client.create<ConfigMap>(configMaps, configMap('verbs', { a: '1' }));
    await assert.rejects(client.create(configMaps, configMap('verbs')), {
      name: 'KubeError',
      code: 409,
      reason: 'AlreadyExists',
    });

    const replaced = await client.replace<ConfigMap>(configMaps, { ...created, data: { a: '2' } } as ConfigMap);
    assert.deepEqual(replaced.data, { a: '2' });
    await assert.rejects(client.replace(configMaps, created), (error) => isFailure(error, 409));

    const merged = await client.patch<ConfigMap>(configMaps, named('verbs'), { data: { b: '1' } });
    assert.deepEqual(merged.data, { a: '2', b: '1' });
    const patched = await client.patch<ConfigMap>(configMaps, named('verbs'), [{ op: 'remove', path: '/data/a' }]);
    assert.deepEqual(patched.data, { b: '1' });
    const applied = await client.apply<ConfigMap>(configMaps, configMap('verbs', { c: '1' }));
    assert.deepEqual(applied.data, { b: '1', c: '1' });
    assert.ok(!('managedFields' in applied.metadata));

    assert.deepEqual(await client.get(configMaps, named('verbs')), applied);
    assert.equal(await client.remove(configMaps, named('verbs')), true);
    assert.equal(await client.remove(configMaps, named('verbs')), false);
  });

  test('is removed only when it is the very one that was meant', async () => {
    const { metadata } = await client.create<ConfigMap>(configMaps, configMap('anew'));
    assert.equal(await client.remove(configMaps, named('anew'), { uid: 'another' }), false);
    assert.ok(await client.get(configMaps, named('anew')));
    assert.equal(await client.remove(configMaps, named('anew'), { uid: metadata.uid ?? '' }), true);
  });

  test("that a rule forbids is refused with the server's reason, field by field", async () => {
    const bad = deployment('bad');
    bad.spec.replicas = -1;
    await assert.rejects(client.apply(deployments, bad), (error) => {
      assert.ok(error instanceof KubeError);
      assert.equal(error.code, 422);
      assert.equal(error.reason, 'Invalid');
      assert.match(error.message, /spec\.replicas: Invalid value: -1/);
      assert.equal(error.status.details?.causes?.[0]?.field, 'spec.replicas');
      return true;
    });
  });

  test('of a dry run is checked and stored by nobody', async () => {
    await client.apply(configMaps, configMap('dry'), { dryRun: true });
    assert.equal(await client.get(configMaps, named('dry')), undefined);
  });
});

describe('server-side apply', () => {
  test('takes drift back, and leaves alone what others own', async () => {
    await client.apply(deployments, deployment('drift'));
    await apiserver.kubectl(['scale', 'deployment', 'drift', '--replicas=5']);
    await apiserver.kubectl(['annotate', 'deployment', 'drift', 'example.com/note=mine']);
    const healed = await client.apply<Deployment>(deployments, deployment('drift'));
    assert.equal(healed.spec.replicas, 1);
    assert.equal(healed.metadata.annotations?.['example.com/note'], 'mine');
  });

  test('takes away what it no longer says', async () => {
    await client.apply(configMaps, configMap('fewer', { a: '1', b: '1' }));
    await apiserver.kubectl(['patch', 'configmap', 'fewer', '--type=merge', '-p', '{"data":{"c":"1"}}']);
    const applied = await client.apply<ConfigMap>(configMaps, configMap('fewer', { a: '1' }));
    assert.deepEqual(applied.data, { a: '1', c: '1' });
  });

  test('that changes nothing leaves the resourceVersion as it is', async () => {
    const first = await client.apply(configMaps, configMap('same', { a: '1' }));
    const second = await client.apply(configMaps, configMap('same', { a: '1' }));
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
  });

  test('without force yields to another owner', async () => {
    await client.apply(configMaps, configMap('owned', { a: '1' }));
    const other = await apiserver.client({ fieldManager: 'somebody-else' });
    await assert.rejects(other.apply(configMaps, configMap('owned', { a: '2' }), { force: false }), (error) =>
      isFailure(error, 409),
    );
    const forced = await other.apply<ConfigMap>(configMaps, configMap('owned', { a: '2' }));
    assert.deepEqual(forced.data, { a: '2' });
  });
});

describe('a status', () => {
  const withStatus = (uid: string | undefined, status: object): Deployment => {
    const { apiVersion, kind } = deployments;
    return { apiVersion, kind, metadata: { ...named('status'), ...(uid && { uid }) }, status } as Deployment;
  };

  test('is applied apart from the rest, and what it no longer says goes', async () => {
    const { metadata } = await client.apply<Deployment>(deployments, deployment('status'));
    const status = { replicas: 3, observedGeneration: 1 };
    const subresource = 'status';
    const written = await client.apply<Deployment>(deployments, withStatus(metadata.uid, status), { subresource });
    assert.deepEqual(written.status, status);
    assert.equal(written.metadata.generation, metadata.generation);
    assert.equal(written.spec.replicas, 1);
    const again = withStatus(metadata.uid, { observedGeneration: 2 });
    const fewer = await client.apply<Deployment>(deployments, again, { subresource });
    assert.deepEqual(fewer.status, { observedGeneration: 2 });
    const path = [{ op: 'replace', path: '/status/observedGeneration', value: 3 }];
    const patched = await client.patch<Deployment>(deployments, named('status'), path, { subresource });
    assert.equal(patched.status?.observedGeneration, 3);
  });

  test('of an object that has gone, and of one made anew, is refused', async () => {
    const { metadata } = await client.apply<Deployment>(deployments, deployment('status'));
    const late = withStatus(metadata.uid, { replicas: 3 });
    await client.remove(deployments, named('status'));
    await assert.rejects(client.apply(deployments, late, { subresource: 'status' }), KubeError);
    assert.equal(await client.get(deployments, named('status')), undefined);
    await client.apply(deployments, deployment('status'));
    await assert.rejects(client.apply(deployments, late, { subresource: 'status' }), (error) => isFailure(error, 422));
  });
});

describe('a finalizer', () => {
  const ours = 'example.com/ours';

  test('comes and goes beside those of others, and holds the object meanwhile', async () => {
    const object = configMap('held');
    object.metadata.finalizers = ['example.com/theirs'];
    const made = await client.create<ConfigMap>(configMaps, object);
    const held = await addFinalizer(client, configMaps, made, ours);
    assert.deepEqual(held.metadata.finalizers, ['example.com/theirs', ours]);
    assert.equal(await addFinalizer(client, configMaps, held, ours), held);
    await client.remove(configMaps, named('held'));
    const going = await client.get<ConfigMap>(configMaps, named('held'));
    assert.ok(going?.metadata.deletionTimestamp);
    const freed = await removeFinalizer(client, configMaps, going, ours);
    assert.deepEqual(freed.metadata.finalizers, ['example.com/theirs']);
    await removeFinalizer(client, configMaps, freed, 'example.com/theirs');
    assert.equal(await client.get(configMaps, named('held')), undefined);
  });

  test('does not overwrite one that another added meanwhile', async () => {
    const made = await client.create<ConfigMap>(configMaps, configMap('raced'));
    await addFinalizer(client, configMaps, made, 'example.com/theirs');
    await assert.rejects(addFinalizer(client, configMaps, made, ours), (error) => isFailure(error, 409));
    const { metadata } = (await client.get(configMaps, named('raced'))) ?? made;
    assert.deepEqual(metadata.finalizers, ['example.com/theirs']);
  });
});

describe('a list', () => {
  test('of many pages is whole, and asked for anew in one piece when the server forgot the next page', async (t) => {
    const namespace = 'many';
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const names = Array.from({ length: 1001 }, (_, i) => `object-${String(i).padStart(4, '0')}`);
    while (names.length > 0) {
      await Promise.all(names.splice(0, 100).map((name) => client.create(configMaps, configMap(name, {}, namespace))));
    }
    const proxy = await startHostileProxy(t, apiserver.server);
    const through = createKubeClient({ credentials: proxyCredentials(proxy, apiserver.token) });

    const { items, resourceVersion } = await through.list<ConfigMap>(configMaps, { namespace });
    assert.equal(items.length, 1001);
    assert.equal(new Set(items.map(({ metadata }) => metadata.name)).size, 1001);
    assert.match(resourceVersion, /^\d+$/);
    assert.equal(items[0]?.kind, 'ConfigMap');
    assert.equal(proxy.lists.length, 3);

    proxy.intercept = (_request, url) => (url.searchParams.has('continue') ? { status: 410 } : undefined);
    assert.equal((await through.list(configMaps, { namespace })).items.length, 1001);
  });

  test('by label and by field', async () => {
    const labelled = configMap('labelled');
    labelled.metadata.labels = { 'example.com/find': 'me' };
    await client.create(configMaps, labelled);
    for (const selector of [{ labelSelector: 'example.com/find=me' }, { fieldSelector: 'metadata.name=labelled' }]) {
      const { items } = await client.list(configMaps, { namespace: 'default', ...selector });
      assert.deepEqual(
        items.map(({ metadata }) => metadata.name),
        ['labelled'],
      );
    }
  });
});

describe('the connection', () => {
  test('is used again, and every answer is counted', async (t) => {
    const requests: string[] = [];
    const quiet = (): void => {};
    const observer: KubeObserver = {
      onRequest: ({ code, method, host }) => requests.push(`${code} ${method} ${host}`),
      onList: quiet,
      onWatch: quiet,
      onEvent: quiet,
      onFailure: quiet,
      onSize: quiet,
    };
    const sockets = new Set<unknown>();
    const proxy = await startHostileProxy(t, apiserver.server);
    proxy.intercept = (request) => {
      sockets.add(request.socket);
      return undefined;
    };
    const counted = createKubeClient({ credentials: proxyCredentials(proxy, apiserver.token), observer });
    for (let i = 0; i < 5; i++) await counted.get(configMaps, named('none'));
    assert.equal(sockets.size, 1);
    assert.deepEqual(requests, Array(5).fill(`404 GET ${new URL(proxy.url).host}`));
  });

  test('that the server closed meanwhile is replaced without an error', async (t) => {
    const proxy = await startHostileProxy(t, apiserver.server);
    const through = createKubeClient({ credentials: proxyCredentials(proxy, apiserver.token) });
    await through.get(configMaps, named('none'));
    proxy.intercept = (request) => {
      proxy.intercept = () => undefined;
      request.socket.resetAndDestroy();
      return 'silence';
    };
    assert.equal(await through.get(configMaps, named('none')), undefined);
    assert.equal(proxy.requests.length, 3);
  });

  test('that says nothing is given up in time, and at once when the caller gives up', async (t) => {
    const proxy = await startHostileProxy(t, apiserver.server);
    proxy.intercept = () => 'silence';
    const credentials = proxyCredentials(proxy, apiserver.token);
    await assert.rejects(createKubeClient({ credentials, timeoutMs: 100 }).get(configMaps, named('none')), {
      name: 'KubeError',
      code: 0,
      reason: 'ClientTimeout',
      message: 'GET /api/v1/namespaces/default/configmaps/none: no result within 0.1 s',
    });
    const signal = AbortSignal.timeout(50);
    await assert.rejects(createKubeClient({ credentials }).get(configMaps, named('none'), { signal }), KubeError);
  });

  test('that can not be had is an error that says so', async (t) => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    const proxy = { ...(await startHostileProxy(t, apiserver.server)), url: `http://127.0.0.1:${port}` };
    const nowhere = createKubeClient({ credentials: proxyCredentials(proxy, apiserver.token) });
    await assert.rejects(nowhere.list(configMaps), { code: 0, reason: 'ConnectionFailed', message: /ECONNREFUSED/ });
  });

  test('with a page of a proxy in between as the answer is an error that shows it', async (t) => {
    const proxy = await startHostileProxy(t, apiserver.server);
    proxy.intercept = () => ({ status: 502, body: 'upstream is away', headers: { 'retry-after': '2' } });
    const through = createKubeClient({ credentials: proxyCredentials(proxy, apiserver.token) });
    await assert.rejects(through.list(configMaps), { code: 502, message: /upstream is away/, retryAfterMs: 2000 });
  });

  test('carries any stream', async () => {
    const stream = await client.open('/readyz?verbose', AbortSignal.timeout(5000));
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    assert.match(Buffer.concat(chunks).toString(), /\[\+\]etcd ok/);
    await assert.rejects(client.open('/nothing', AbortSignal.timeout(5000)), (error) => isFailure(error, 404));
  });
});

describe('credentials', () => {
  test('of a Pod: the token is read again when it was refused', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'namespace'), 'team');
    await writeFile(join(folder, 'ca.crt'), '');
    await writeFile(join(folder, 'token'), 'old\n');
    const proxy = await startHostileProxy(t, apiserver.server);
    const inCluster = await inClusterCredentials({ env: {}, folder, clock: fakeClock() });
    assert.equal(inCluster.namespace, 'team');
    const credentials: Credentials = {
      ...inCluster,
      access: async () => ({ ...(await inCluster.access()), server: proxy.url }),
    };
    const inPod = createKubeClient({ credentials });
    await assert.rejects(inPod.list(configMaps), (error) => isFailure(error, 401));
    await writeFile(join(folder, 'token'), apiserver.token);
    const { items } = await inPod.list(configMaps, { namespace: 'default' });
    assert.ok(items.length > 0);
  });

  test('of a kubeconfig: its CA, its plugin, and the file is read again when they were refused', async (t) => {
    const folder = await temporaryFolder(t);
    const file = join(folder, 'kubeconfig');
    const plugin = (token: string): object => ({
      exec: {
        apiVersion: 'client.authentication.k8s.io/v1',
        interactiveMode: 'Never',
        command: '/bin/echo',
        args: [
          JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } }),
        ],
      },
    });
    const write = (user: object): Promise<void> =>
      writeFile(
        file,
        JSON.stringify({
          clusters: [{ name: 'c', cluster: { server: apiserver.server, 'certificate-authority': apiserver.ca } }],
          users: [{ name: 'u', user }],
          contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'team' } }],
          'current-context': 'x',
        }),
      );
    await write(plugin('wrong'));
    const credentials = await kubeConfigCredentials({ file });
    assert.equal(credentials.namespace, 'team');
    const byFile: KubeClient = createKubeClient({ credentials });
    await assert.rejects(byFile.list(configMaps), (error) => isFailure(error, 401));
    await write(plugin(apiserver.token));
    assert.ok((await byFile.list(configMaps)).items.length > 0);
  });

  test('of a context that is not there', async () => {
    const credentials = kubeConfigCredentials({ file: apiserver.kubeconfig, context: 'nowhere' });
    await assert.rejects(credentials, /no context "nowhere"/);
  });
});
