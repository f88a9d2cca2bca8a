/** The container engine: docker or podman, whichever answers. A client without a daemon is common, so we ask. */
import { run, succeeds, type CommandOptions } from './command.ts';
import { Unmet } from './progress.ts';

export interface Engine {
  name: 'docker' | 'podman';
  /** What every command of this engine, and kind on top of it, needs in its environment. */
  env: Record<string, string>;
  /** Runs the engine's client; its standard output. */
  run(args: string[], options?: CommandOptions): Promise<string>;
  hasImage(reference: string): Promise<boolean>;
}

const answerMs = 15_000;

/** The engine that answers; `REGISTRY_OPERATOR_ENGINE` picks one where both do. */
export async function findEngine(): Promise<Engine | undefined> {
  const wanted = process.env['REGISTRY_OPERATOR_ENGINE'];
  for (const name of ['docker', 'podman'] as const) {
    if (wanted && wanted !== name) continue;
    if (await succeeds(name, ['info'], { timeoutMs: answerMs })) return engine(name);
  }
  return undefined;
}

export async function needEngine(): Promise<Engine> {
  const found = await findEngine();
  if (found) return found;
  throw new Unmet('No container engine answers: install and start Docker (docs.docker.com/get-docker) or podman.');
}

export function engine(name: 'docker' | 'podman', env: Record<string, string> = {}): Engine {
  return {
    name,
    env,
    run: (args, options = {}) => run(name, args, { ...options, env: { ...env, ...options.env } }),
    hasImage: (reference) => succeeds(name, ['image', 'inspect', reference], { env }),
  };
}

/** Pulls an image; false when no registry answers with it. */
export function pull(engine: Engine, reference: string, onLine: (line: string) => void): Promise<boolean> {
  return succeeds(engine.name, ['pull', reference], { env: engine.env, onLine });
}
