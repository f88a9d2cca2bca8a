import { type Clock, sleep } from '#shared/clock.ts';
import type { Mirror } from '#shared/node-mirrors.ts';
import { type Answer, firstAnswering, probeOnce } from './endpoints.ts';
import type { Probe } from './probe.ts';

export interface ChooserOptions {
  probe: Probe;
  clock: Clock;
  /** Milliseconds until a host that answered last time and does not now is asked again, before anybody is told. */
  doubtMs: number;
}

export interface Choice {
  /** By host, the URL to use. */
  endpoints: Map<string, string>;
  /** By host, why none of its URLs can be used. */
  unreachable: Map<string, string>;
}

/** `current`: what hosts.toml says now, by host; it stays when nothing answers. `signal` cuts waits short. */
export type Chooser = (mirrors: Mirror[], current: Map<string, string>, signal: AbortSignal) => Promise<Choice>;

/** The first endpoint of each host that answers. A slow moment of a busy node or registry is no news. */
export function createChooser({ probe, clock, doubtMs }: ChooserOptions): Chooser {
  let answering = new Set<string>();

  const ask = async (mirrors: Mirror[], answers: Map<string, Answer>): Promise<void> => {
    const once = probeOnce(probe);
    const asked = mirrors.map(async ({ host, endpoints }) => answers.set(host, await firstAnswering(endpoints, once)));
    await Promise.all(asked);
  };

  return async (mirrors, current, signal) => {
    const answers = new Map<string, Answer>();
    await ask(mirrors, answers);
    const doubtful = mirrors.filter(({ host }) => answering.has(host) && !answers.get(host)?.endpoint);
    if (doubtful.length > 0) {
      await sleep(clock, doubtMs, signal);
      await ask(doubtful, answers);
    }
    const choice: Choice = { endpoints: new Map(current), unreachable: new Map() };
    for (const [host, { endpoint, causes }] of answers) {
      if (endpoint === undefined) choice.unreachable.set(host, causes.join('; '));
      else choice.endpoints.set(host, endpoint);
    }
    answering = new Set(mirrors.map(({ host }) => host).filter((host) => !choice.unreachable.has(host)));
    return choice;
  };
}
