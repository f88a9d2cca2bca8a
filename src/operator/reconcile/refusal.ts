import type { Registry } from '#operator/api/registry.ts';
import type { Outcome } from './applier.ts';
import { no, type Verdict } from './facts.ts';

/** For an object that has the name that ours would have. */
export function foreignVerdict(kind: string, { metadata }: Registry, name = metadata.name): Verdict {
  return no(
    'NameTaken',
    `${kind} ${name} in namespace ${metadata.namespace} is not this Registry's and was left alone: rename or delete it, or give the Registry another name.`,
  );
}

/** What is wrong with a child of which nothing more is known than the server's words. */
export function childVerdict(kind: string, outcome: Outcome | undefined, registry: Registry): Verdict | undefined {
  if (outcome?.state === 'foreign') return foreignVerdict(kind, registry, outcome.live.metadata.name);
  if (outcome?.state !== 'refused') return undefined;
  return no(`${kind}Refused`, `The API server does not take the ${kind}: ${refusalText(outcome.error.status.message)}`);
}

export function refusalText(message: string | undefined): string {
  const text = (message ?? 'no reason given').trim();
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
