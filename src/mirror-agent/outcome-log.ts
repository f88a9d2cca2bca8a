import type { Logger } from '#shared/logger.ts';
import type { Outcome } from './certs-execute.ts';
import type { Action } from './certs-plan.ts';

const done: Partial<Record<Action['kind'], string>> = {
  create: 'created hosts.toml and its directory',
  write: 'wrote hosts.toml',
  remove: 'removed hosts.toml',
  clean: 'removed what a crash left',
};

/** Logs what was done, and each problem once, not at every round that finds it again. */
export function createOutcomeLog(log: Logger): (outcomes: Outcome[]) => void {
  let known = new Map<string, string>();
  return (outcomes) => {
    const problems = new Map<string, string>();
    for (const { action, error } of outcomes) {
      const subject = subjectOf(action);
      const problem = error?.code ?? error?.message ?? hindrance(action);
      if (problem === undefined) {
        if (done[action.kind] !== undefined) log.info({ subject }, done[action.kind]);
        continue;
      }
      problems.set(subject, problem);
      if (known.get(subject) === problem) continue;
      if (error) log.error({ subject, err: error }, `could not ${action.kind}`);
      else log.warn({ subject }, problem);
    }
    known = problems;
  };
}

/** Why an action that did not fail did nothing. */
function hindrance(action: Action): string | undefined {
  switch (action.kind) {
    case 'abandon':
      return 'edited by somebody and no longer wanted: left alone';
    case 'refuse':
      return action.obstacle.kind === 'foreign' ? 'not ours: left alone' : action.obstacle.kind;
    case 'create':
    case 'write':
    case 'keep':
    case 'remove':
    case 'clean':
      return undefined;
  }
}

function subjectOf(action: Action): string {
  switch (action.kind) {
    case 'clean':
      return action.path;
    case 'refuse':
      return action.wanted.host;
    case 'create':
    case 'write':
    case 'keep':
    case 'remove':
    case 'abandon':
      return action.directory;
  }
}
