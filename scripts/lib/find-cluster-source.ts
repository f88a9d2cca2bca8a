/**
 * Where clusters come from. On most machines: the engine that answers and kind's own node image. Where that image is
 * neither there nor to be pulled: podman, kind, Kubernetes and a node image, all made by test/cluster from package registries.
 */
import { readFile } from 'node:fs/promises';
import type { ClusterSource } from './cluster-source.ts';
import { engine as engineNamed, findEngine, pull, type Engine } from './engine.ts';
import { findProgram } from './machine.ts';
import { ownSource, ownSourceIfMade } from './own-cluster.ts';
import { clusterPrograms } from './paths.ts';
import { Unmet, type Report } from './progress.ts';
import { needProgram } from './programs.ts';

/** Finds what clusters can be made with here, and gets what is missing; rejects with an Unmet that says what to install. */
export async function findClusterSource(report: Report): Promise<ClusterSource> {
  const engine = await findEngine();
  const made = await ownSourceIfMade();
  if (engine) {
    const kind = await findProgram('kind', [clusterPrograms]);
    const image = kind && (await releasedNodeImage(kind));
    if (kind && image && (await engine.hasImage(image))) return plain(engine, kind);
    if (made) return made;
    const known = image ?? (await releasedNodeImage(await needProgram('kind', report)));
    report(`pulling ${known.split('@')[0]}`);
    if (await pull(engine, known, report)) return plain(engine, await needProgram('kind', report));
    const other = await anyNodeImage(engine);
    if (other) return { ...plain(engine, await needProgram('kind', report)), nodeImage: other };
  }
  return made ?? ownSource(report, engine ? 'kindest/node cannot be pulled' : 'no container engine answers');
}

function plain(engine: Engine, kind: string): ClusterSource {
  const env = { ...engine.env, KIND_EXPERIMENTAL_PROVIDER: engine.name };
  return { engine: engineNamed(engine.name, env), kind };
}

/** kind names its node image in its program text and nowhere else; other releases of that image may not fit it. */
async function releasedNodeImage(kind: string): Promise<string> {
  const text = await readFile(kind, 'latin1');
  const name = /kindest\/node:v[\d.]+@sha256:[0-9a-f]{64}/.exec(text)?.[0];
  if (!name) throw new Unmet(`${kind} names no node image: install a release of kind (kind.sigs.k8s.io).`);
  return `docker.io/${name}`;
}

/** A kindest/node image that somebody pulled or built here. */
async function anyNodeImage(engine: Engine): Promise<string | undefined> {
  const output = await engine.run(['images', '--format', '{{.Repository}}:{{.Tag}}']);
  return output.split('\n').find((name) => /^(docker\.io\/)?kindest\/node:[^<]/.test(name));
}
