/**
 * `npm run up [-- options]`: from a checkout to a registry that Pods pull from. Each step looks first at what is there:
 * run again after an interruption, it goes on where it was.
 */
import { parseArgs } from 'node:util';
import type { ClusterSource } from './lib/cluster-source.ts';
import { findClusterSource } from './lib/find-cluster-source.ts';
import { pushDemo, reachRegistry, runDemoPods } from './lib/demo.ts';
import { ensureCluster, givenCluster } from './lib/up-cluster.ts';
import { buildImage } from './lib/image.ts';
import { installOperator } from './lib/install.ts';
import { runScript, step, Unmet } from './lib/progress.ts';
import { applyRegistry, registryName, registryNamespace, waitUntilCounted, waitUntilReady } from './lib/registry.ts';
import { target as targetOf, type Target } from './lib/target.ts';

const usage = `npm run up -- [options]
  --name NAME      kind cluster to make or use (registry-operator)
  --port PORT      port of this machine that leads to its registry (5001)
  --context NAME   use this context of your kubeconfig, and make no cluster
  --image REF      an image that the cluster's nodes can pull; without it one is built, and loaded into kind's nodes
  --no-demo        stop once the operator is installed
`;

async function up(): Promise<void> {
  const options = readOptions();
  if (!options) return;
  const source = await step('engine and node image', findClusterSource);
  // Neither needs the other, and each leaves a core idle for a while.
  const making = options.context === undefined ? ensureCluster(source, options) : givenCluster(source, options.context);
  const building = options.image ?? step('image', (report) => buildImage(source.engine, report));
  await Promise.allSettled([making, building]); // so that none goes on alone after the other failed
  const [cluster, image] = [await making, await building];
  if (options.image === undefined) await step('image into the nodes', (report) => cluster.load(image, report));
  const target = await targetOf(cluster.context, () => {});
  await step('operator and mirror agents', (report) => installOperator(target, image, report));
  if (!options.demo) return;
  await step('Registry', async (report) => {
    await applyRegistry(target, options.port);
    await waitUntilReady(target, report);
  });
  await demo(source, target, image, options.port);
  const table = await target.kubectl([
    'get',
    'registries.registry-operator.dev',
    registryName,
    '-n',
    registryNamespace,
  ]);
  process.stdout.write(`${table}\n`);
}

async function demo(source: ClusterSource, target: Target, image: string, port: number): Promise<void> {
  const registry = await step(`localhost:${port}`, (report) => reachRegistry(target, port, report));
  try {
    await step(`push to localhost:${port}`, (report) => pushDemo(source.engine, image, port, report));
    const hosts = ['kind-registry:5000', `localhost:${port}`];
    const said = await step('Pods from it', (report) => runDemoPods(target, hosts, report));
    process.stdout.write(`${said.join('\n')}\n`);
    await step('counts', (report) => waitUntilCounted(target, `http://localhost:${port}`, report));
  } finally {
    registry.close();
  }
}

function readOptions() {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      name: { type: 'string', default: 'registry-operator' },
      port: { type: 'string', default: '5001' },
      context: { type: 'string' },
      image: { type: 'string' },
      demo: { type: 'boolean', default: true },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return undefined;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Unmet(`--port ${values.port}: a port is 1 to 65535.`);
  return { ...values, port };
}

await runScript(up);
