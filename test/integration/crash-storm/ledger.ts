/**
 * What a registry may show after a crash. Each thing that a writer changes has a set of states: a request on its way adds
 * its own, the acknowledgement leaves nothing but that one. More than one is left only where the server was killed.
 */
import assert from 'node:assert/strict';
import type { RegistryClient } from '#test/support/registry-client.ts';

/** The digest that a tag points to, or the digest of the thing itself; `missing` when it is not there. */
export type State = string;
export const missing: State = 'missing';

export type Kind = 'tag' | 'manifest' | 'blob';

export interface Thing {
  kind: Kind;
  repository: string;
  /** A tag or a digest. */
  reference: string;
}

interface Claim extends Thing {
  states: Set<State>;
  /** Milliseconds (performance.now) of the first attempt to make it so. */
  since: number;
  /** A kill came between its last change and the acknowledgement, so that some of that change may lie about. */
  torn?: boolean;
}

export interface Ledger {
  /** Runs a request that brings the things into a state; what it throws leaves them in the old state or in the new one. */
  changing<T>(things: Thing[], state: State, request: () => Promise<T>): Promise<T>;
  /** Things that were acknowledged so far. */
  readonly acknowledged: number;
  /** Tags of a repository whose state is certain, with their digests. */
  tags(repository: string): [tag: string, digest: string][];
  /** Holds everything that changed since the last look against the registry: each thing in one of its states, and whole. */
  verify(client: RegistryClient): Promise<void>;
  /** The same with all tags; gives the number of things that were acknowledged in the whole storm. */
  verifyAll(client: RegistryClient): Promise<number>;
}

export interface LedgerOptions {
  /** A blob or manifest that no tag leads to may be collected when it is older than this, in milliseconds. */
  minimumAgeMs: number;
  /**
   * Whether a server that was not itself killed is asked: of a tag that another one was killed over the directory may be there
   * without its link, which a server finds out when somebody asks for the tag. So that is done before its lists are looked at.
   */
  othersWereKilled?: boolean;
}

export function createLedger({ minimumAgeMs, othersWereKilled = false }: LedgerOptions): Ledger {
  const tags = new Map<string, Claim>();
  let fresh = new Map<string, Claim>();
  let acknowledged = 0;

  /** What is to be deleted was there; of anything else that was not heard of lately either may be true. */
  function claim(thing: Thing, next: State): Claim {
    const key = keyOf(thing);
    const before = next === missing ? thing.reference : missing;
    const found = fresh.get(key) ?? tags.get(key) ?? { ...thing, states: new Set([before]), since: performance.now() };
    fresh.set(key, found);
    if (thing.kind === 'tag') tags.set(key, found);
    return found;
  }

  async function changing<T>(things: Thing[], state: State, request: () => Promise<T>): Promise<T> {
    const claims = things.map((thing) => claim(thing, state));
    for (const { states } of claims) states.add(state);
    const result = await request();
    for (const changed of claims) Object.assign(changed, { states: new Set([state]), torn: false });
    acknowledged += claims.length;
    return result;
  }

  async function verifyClaim(client: RegistryClient, known: Claim): Promise<void> {
    const { kind, repository, reference, states } = known;
    const found = await look(client, known);
    const collectable = kind !== 'tag' && performance.now() - known.since > minimumAgeMs;
    const expected = [...states].join(' or ');
    if (!(collectable && found === missing)) {
      assert.ok(states.has(found), `${kind} ${repository} ${reference} is ${found}, not ${expected}`);
    }
    if (kind === 'tag' && found !== missing) await client.pullAll(repository, reference);
    known.torn ||= states.size > 1;
    known.states = new Set([found]);
  }

  async function verifyListings(client: RegistryClient): Promise<void> {
    const repositories = new Set([...tags.values()].map(({ repository }) => repository));
    for (const repository of repositories) {
      const known = certain(repository).map(([tag]) => tag);
      assert.deepEqual((await client.tags(repository)) ?? [], known.toSorted(), `tags of ${repository}`);
    }
  }

  const certain = (repository: string): [string, string][] =>
    [...tags.values()].flatMap((known) => {
      const [state = missing, ...others] = known.states;
      const counts = known.repository === repository && others.length === 0 && state !== missing;
      return counts ? [[known.reference, state] as [string, string]] : [];
    });

  async function verify(client: RegistryClient): Promise<void> {
    const changed = [...fresh.values()];
    fresh = new Map();
    await Promise.all(changed.map((known) => verifyClaim(client, known)));
    if (othersWereKilled) for (const known of tags.values()) if (known.torn) await look(client, known);
    await verifyListings(client);
  }

  return {
    changing,
    get acknowledged() {
      return acknowledged;
    },
    tags: certain,
    verify,
    async verifyAll(client) {
      for (const [key, known] of tags) fresh.set(key, known);
      await verify(client);
      return acknowledged;
    },
  };
}

function keyOf({ kind, repository, reference }: Thing): string {
  return `${kind} ${repository} ${reference}`;
}

/** The client holds the bytes against the digest. */
async function look(client: RegistryClient, { kind, repository, reference }: Thing): Promise<State> {
  if (kind === 'blob') return (await client.blob(repository, reference)) ? reference : missing;
  return (await client.manifest(repository, reference))?.digest ?? missing;
}
