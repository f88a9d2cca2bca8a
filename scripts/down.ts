/** `npm run down [-- --name NAME | --context NAME]`: removes what `npm run up` made there, and nothing else. */
import { parseArgs } from 'node:util';
import { clusterExists, contextOf, deleteCluster } from './lib/cluster.ts';
import { removeDemoPods } from './lib/demo.ts';
import { findClusterSource } from './lib/find-cluster-source.ts';
import { removeOperator } from './lib/install.ts';
import { forgetMade, readMade, type Made } from './lib/made.ts';
import { line, runScript, step } from './lib/progress.ts';
import { target as targetOf, type Target } from './lib/target.ts';

async function down(): Promise<void> {
  const { values } = parseArgs({
    options: { name: { type: 'string', default: 'registry-operator' }, context: { type: 'string' } },
  });
  const context = values.context ?? contextOf(values.name);
  const made = await readMade(context);
  if (made.cluster) await removeCluster(made.cluster.name);
  else if (Object.keys(made).length > 0) await removeFrom(await targetOf(context, () => {}), made);
  else line(`nothing here that npm run up made in ${context}`);
  await forgetMade(context);
}

async function removeCluster(name: string): Promise<void> {
  await step(`kind cluster ${name}`, async (report) => {
    const source = await findClusterSource(report);
    if (await clusterExists(source, name)) await deleteCluster(source, name, report);
  });
}

async function removeFrom(target: Target, made: Made): Promise<void> {
  await step('demo Pods', () => removeDemoPods(target));
  const { registry } = made;
  if (registry) {
    await step('Registry', () =>
      target.kubectl([
        'delete',
        'registry',
        registry.name,
        '-n',
        registry.namespace,
        '--ignore-not-found',
        '--timeout',
        '180s',
      ]),
    );
  }
  if (made.release) await step('operator and mirror agents', (report) => removeOperator(target, made, report));
  if (registry) {
    const claim = await target.get('pvc', registry.name, registry.namespace);
    if (claim) line(`kept: the images, in PersistentVolumeClaim ${registry.namespace}/${registry.name}`);
  }
}

await runScript(down);
