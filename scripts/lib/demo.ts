/** What a user would do next: push an image to localhost, and start Pods from it by both of the registry's names. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Engine } from './engine.ts';
import { root } from './paths.ts';
import { needProgram } from './programs.ts';
import { Unmet, type Report } from './progress.ts';
import { registryName, registryNamespace } from './registry.ts';
import type { Target } from './target.ts';
import { waitFor } from './wait-for.ts';

export const demoImage = 'demo:1';
const label = 'registry-operator.dev/demo=true';

/**
 * Pushes a small image on top of ours. Not ours under another name: a kubelet that pulled it from here would no longer take
 * the loaded one as preloaded, since both have one id, and would ask a registry for it (KubeletEnsureSecretPulledImages).
 */
export async function pushDemo(engine: Engine, image: string, port: number, report: Report): Promise<void> {
  const reference = `localhost:${port}/${demoImage}`;
  const folder = join(root, 'scripts', 'demo');
  await engine.run(['build', '-t', reference, '--build-arg', `BASE=${image}`, folder], { onLine: report });
  const plainHttp = engine.name === 'podman' ? ['--tls-verify=false'] : [];
  try {
    await engine.run(['push', ...plainHttp, reference], { onLine: report });
  } finally {
    await engine.run(['rmi', reference]);
  }
}

/**
 * Resolves when the registry answers at `http://localhost:<port>`: at once where kind maps the port, otherwise through a
 * port-forward that lives until `close` is called. A node port refuses connections for a second after the Pod is ready.
 */
export async function reachRegistry(target: Target, port: number, report: Report): Promise<{ close(): void }> {
  const answers = async () => (await fetch(`http://localhost:${port}/v2/`)).ok;
  if (await settles(waitFor(10_000, answers))) return { close() {} };
  report(`localhost:${port} is not mapped to the cluster, forwarding it`);
  const forward = spawn(
    await needProgram('kubectl', report),
    ['--context', target.context, '-n', registryNamespace, 'port-forward', `service/${registryName}`, `${port}:5000`],
    { stdio: 'ignore' },
  );
  if (await settles(waitFor(20_000, answers))) return { close: () => forward.kill() };
  forward.kill();
  throw new Unmet(`The registry does not answer at localhost:${port}: is the port taken by something else?`);
}

function settles(promise: Promise<void>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}

interface Pod {
  status: {
    phase: string;
    containerStatuses?: {
      state: { waiting?: { reason: string; message?: string }; terminated?: { message?: string } };
    }[];
  };
}

interface NodeList {
  items: { metadata: { name: string }; spec: { taints?: { effect: string }[] } }[];
}

/** Runs one Pod from each host, on different nodes where there are several; gives what they said. */
export async function runDemoPods(target: Target, hosts: string[], report: Report): Promise<string[]> {
  await removeDemoPods(target);
  const nodes = await workNodes(target);
  const pods = hosts.map((host, index) => demoPod(host, nodes[index % nodes.length] ?? ''));
  const list = { apiVersion: 'v1', kind: 'List', items: pods };
  await target.kubectl(['apply', '-n', registryNamespace, '-f', '-'], { input: JSON.stringify(list) });
  return Promise.all(pods.map((pod) => waitForPod(target, pod.metadata.name, report)));
}

export async function removeDemoPods(target: Target): Promise<void> {
  await target.kubectl(['delete', 'pods', '-n', registryNamespace, '-l', label, '--ignore-not-found', '--wait']);
}

async function workNodes(target: Target): Promise<string[]> {
  const list = JSON.parse(await target.kubectl(['get', 'nodes', '-o', 'json'])) as NodeList;
  const open = list.items.filter((node) => !node.spec.taints?.some((taint) => taint.effect === 'NoSchedule'));
  return (open.length > 0 ? open : list.items).map((node) => node.metadata.name);
}

function demoPod(host: string, nodeName: string) {
  const image = `${host}/${demoImage}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `demo-${host.replaceAll(/[^a-z0-9]/g, '-')}`, labels: { 'registry-operator.dev/demo': 'true' } },
    spec: {
      nodeName,
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'demo',
          image,
          // Always asks the registry, even if the node has the image from the last time.
          imagePullPolicy: 'Always',
          env: [
            { name: 'IMAGE', value: image },
            { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          ],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}

async function waitForPod(target: Target, name: string, report: Report): Promise<string> {
  let state = 'not started';
  await waitFor(90_000, async () => {
    const pod = await target.get<Pod>('pod', name, registryNamespace);
    const waiting = pod?.status.containerStatuses?.[0]?.state.waiting;
    state = waiting ? `${waiting.reason} ${waiting.message ?? ''}` : (pod?.status.phase ?? 'gone');
    report(`${name}: ${state}`);
    return pod?.status.phase === 'Succeeded';
  }).catch((cause: unknown) => {
    throw new Unmet(`Pod ${registryNamespace}/${name} did not run: ${state}`, { cause });
  });
  return target.kubectl(['logs', '-n', registryNamespace, name]);
}
