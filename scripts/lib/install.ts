/** The operator in a cluster: its namespace and its Helm release. */
import { join } from 'node:path';
import { CommandError } from './command.ts';
import { noteMade } from './made.ts';
import { root } from './paths.ts';
import type { Report } from './progress.ts';
import type { Target } from './target.ts';

export const release = 'registry-operator';
export const namespace = 'registry-operator';
const chart = join(root, 'charts', 'registry-operator');
const crds = ['registries.registry-operator.dev', 'nodemirrors.registry-operator.dev'];

/** Installs the chart or brings it up to date, and waits until operator and agents are ready. */
export async function installOperator(target: Target, image: string, report: Report): Promise<void> {
  await noteWhatIsMissing(target);
  await ensureNamespace(target);
  await clearInterrupted(target);
  const colon = image.lastIndexOf(':');
  const values = [`image.repository=${image.slice(0, colon)}`, `image.tag=${image.slice(colon + 1)}`];
  const args = ['upgrade', '--install', release, chart, '--namespace', namespace, '--wait', '--timeout', '3m'];
  try {
    await target.helm([...args, ...values.flatMap((value) => ['--set', value])], { onLine: report });
  } catch (error) {
    if (error instanceof CommandError) throw withPods(error, await podsOf(target));
    throw error;
  }
}

async function noteWhatIsMissing(target: Target): Promise<void> {
  if (!(await target.get('namespace', namespace))) await noteMade(target.context, { namespace });
  if (!(await target.get('crd', crds[0] ?? ''))) await noteMade(target.context, { crds });
  const installed = await target.helm(['list', '--namespace', namespace, '--all', '--short']).catch(() => '');
  if (!installed.split('\n').includes(release)) await noteMade(target.context, { release });
}

/** The agents write to a folder of their node, which the other levels forbid. */
async function ensureNamespace(target: Target): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/enforce': 'privileged' };
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } };
  await target.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
}

/** An interrupted helm leaves its release locked. */
async function clearInterrupted(target: Target): Promise<void> {
  const selector = `owner=helm,name=${release},status in (pending-install,pending-upgrade,pending-rollback)`;
  await target.kubectl(['delete', 'secret', '-n', namespace, '-l', selector]);
}

function podsOf(target: Target): Promise<string> {
  return target.kubectl(['get', 'pods', '-n', namespace, '-o', 'wide']).catch(() => '');
}

function withPods(error: CommandError, pods: string): CommandError {
  const output = `${error.output}\n${pods}\nkubectl -n ${namespace} describe pods   tells more`;
  return new CommandError('helm upgrade', 'the operator did not become ready', {
    code: error.code,
    output,
    cause: error,
  });
}

/** Removes the release and, when they were made for it, namespace and CustomResourceDefinitions. */
export async function removeOperator(
  target: Target,
  made: { namespace?: string; crds?: string[] },
  report: Report,
): Promise<void> {
  await clearInterrupted(target);
  await target.helm(
    ['uninstall', release, '--namespace', namespace, '--ignore-not-found', '--wait', '--timeout', '4m'],
    {
      onLine: report,
    },
  );
  const left = await target.kubectl(['get', 'registries', '-A', '-o', 'name', '--ignore-not-found']).catch(() => '');
  if (made.crds && left === '') await target.kubectl(['delete', 'crd', ...made.crds, '--ignore-not-found']);
  if (made.namespace) await target.kubectl(['delete', 'namespace', made.namespace, '--ignore-not-found']);
}
