import type { Answer } from '#shared/endpoints.ts';

/** What is wrong, or `undefined`. */
export type Check = () => string | undefined;

/** `/livez?verbose` of Kubernetes, always verbose: one line per check; 200, or 503 when one of them failed. */
export function answerChecks(checks: ReadonlyMap<string, Check>): Answer {
  const found = [...checks].map(([name, check]) => ({ name, problem: check() }));
  const lines = found.map(({ name, problem }) =>
    problem === undefined ? `[+] ${name} ok` : `[-] ${name}: ${problem}`,
  );
  const well = found.every(({ problem }) => problem === undefined);
  return { status: well ? 200 : 503, body: `${[...lines, well ? 'ok' : 'failed'].join('\n')}\n` };
}
