/**
 * `/debug/pprof/`: where distribution has Go's profiles, V8's, for Chrome's developer tools or speedscope. One at a time, for a
 * minute at most, since a profile costs a part of what it measures.
 */
import type { FastifyInstance } from 'fastify';
import type { Session } from 'node:inspector/promises';
import { setTimeout as delay } from 'node:timers/promises';

const defaultSeconds = 30;
const maxSeconds = 60;

const index = `Profiles of this process by V8, not by Go: "go tool pprof" can't read them.
  /debug/pprof/profile?seconds=30   processor time; open as .cpuprofile in Chrome's developer tools or speedscope
  /debug/pprof/heap?seconds=30      what is allocated in that time and stays, sampled; .heapprofile
One at a time, ${maxSeconds} seconds at most.
`;

interface Kind {
  extension: string;
  record(session: Session, ms: number, signal: AbortSignal): Promise<object>;
}

const kinds: Record<string, Kind> = {
  profile: {
    extension: 'cpuprofile',
    async record(session, ms, signal) {
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      await delay(ms, undefined, { signal }).catch(() => undefined);
      return (await session.post('Profiler.stop')).profile;
    },
  },
  heap: {
    extension: 'heapprofile',
    async record(session, ms, signal) {
      await session.post('HeapProfiler.startSampling');
      await delay(ms, undefined, { signal }).catch(() => undefined);
      return (await session.post('HeapProfiler.stopSampling')).profile;
    },
  },
};

export function addProfiles(app: FastifyInstance): void {
  const closing = new AbortController();
  let running = false;
  app.addHook('preClose', async () => closing.abort());
  for (const url of ['/debug/pprof', '/debug/pprof/'])
    app.get(url, async (_request, reply) => reply.type('text/plain').send(index));
  app.get<Asked>('/debug/pprof/:kind', async ({ params, query }, reply) => {
    const kind = Object.hasOwn(kinds, params.kind) ? kinds[params.kind] : undefined;
    if (!kind) return reply.code(404).type('text/plain').send(index);
    const seconds = Number(query.seconds ?? defaultSeconds);
    if (!(seconds > 0 && seconds <= maxSeconds))
      return reply.code(400).send(`seconds: more than 0, ${maxSeconds} at most\n`);
    if (running) return reply.code(503).send('another profile is being recorded\n');
    running = true;
    try {
      const profile = await inSession((session) => kind.record(session, seconds * 1000, closing.signal));
      const disposition = `attachment; filename="registry.${kind.extension}"`;
      return await reply
        .type('application/json')
        .header('Content-Disposition', disposition)
        .send(JSON.stringify(profile));
    } finally {
      running = false;
    }
  });
}

interface Asked {
  Params: { kind: string };
  Querystring: { seconds?: string };
}

async function inSession<T>(action: (session: Session) => Promise<T>): Promise<T> {
  const inspector = await import('node:inspector/promises');
  const session = new inspector.Session();
  session.connect();
  try {
    return await action(session);
  } finally {
    session.disconnect();
  }
}
