/** The cluster of `npm run up`: one of its own, or one that it was given. */
import { clusterExists, contextOf, createCluster, deleteCluster, kind, loadImage } from './cluster.ts';
import type { ClusterSource } from './cluster-source.ts';
import { succeeds } from './command.ts';
import { noteMade, readMade } from './made.ts';
import { needProgram } from './programs.ts';
import { step, Unmet, type Report } from './progress.ts';

export interface UpCluster {
  context: string;
  /** Gives its nodes an image of the local engine. */
  load(image: string, report: Report): Promise<void>;
}

export async function ensureCluster(
  source: ClusterSource,
  options: { name: string; port: number },
): Promise<UpCluster> {
  const { name } = options;
  const context = contextOf(name);
  await step(`kind cluster ${name}`, async (report) => {
    const { cluster } = await readMade(context);
    if (await clusterExists(source, name)) {
      if (!cluster?.incomplete) return useExisting(source, name, report);
      report('removing what an interrupted run left');
      await deleteCluster(source, name, report);
    }
    await noteMade(context, { cluster: { name, incomplete: true } });
    await createCluster(source, options, report);
    await noteMade(context, { cluster: { name, incomplete: false } });
  });
  return { context, load: (image, report) => loadImage(source, name, image, report) };
}

async function useExisting(source: ClusterSource, name: string, report: Report): Promise<void> {
  await kind(source, ['export', 'kubeconfig', '--name', name], { report });
  await needAnswer(contextOf(name), `kind cluster ${name} does not answer: npm run down, and up again, makes it anew.`);
}

export async function givenCluster(source: ClusterSource, context: string): Promise<UpCluster> {
  await step(`context ${context}`, async () => {
    await needAnswer(context, `The cluster of context ${context} does not answer: see kubectl config get-contexts.`);
  });
  return {
    context,
    async load(image, report) {
      const name = context.replace(/^kind-/, '');
      if (context.startsWith('kind-') && (await clusterExists(source, name)))
        return loadImage(source, name, image, report);
      throw new Unmet(
        `Context ${context} is no kind cluster of this machine: push an image where its nodes can pull it, and pass --image REF.`,
      );
    },
  };
}

async function needAnswer(context: string, otherwise: string): Promise<void> {
  const kubectl = await needProgram('kubectl', () => {});
  const answers = await succeeds(kubectl, [
    '--context',
    context,
    'get',
    '--raw',
    '/readyz',
    '--request-timeout',
    '20s',
  ]);
  if (!answers) throw new Unmet(otherwise);
}
