/** Who may do what: asked once for each request, before its body is read. */
import type { IncomingHttpHeaders } from 'node:http';

/** What a request wants to do, spelled as distribution spells it in the detail of a refusal. */
export interface Access {
  Type: 'repository' | 'registry';
  Class: string;
  /** The repository, or `catalog`. */
  Name: string;
  Action: 'pull' | 'push' | 'delete' | '*';
}

export interface Actor {
  name: string;
  /** May do everything in every repository, also what was not asked about. */
  unrestricted: boolean;
}

export interface Authenticator {
  /** Resolves with who is asking, when he may; rejects with UNAUTHORIZED, which carries the challenge, when not. */
  authenticate: (headers: IncomingHttpHeaders, access: Access[]) => Promise<Actor>;
}
