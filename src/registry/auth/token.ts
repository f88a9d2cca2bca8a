/**
 * Access by tokens of another server, which signs what its bearer may do.
 * Source: distribution, registry/auth/token/*.go and docs/content/spec/auth/{token,jwt}.md.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { decodeProtectedHeader, jwtVerify, type JWTPayload } from 'jose';
import type { Logger } from '#shared/logger.ts';
import type { Access, Authenticator } from './authenticator.ts';
import { challenge, parseBearer } from './header.ts';
import { unauthorized } from './refusal.ts';
import { signingAlgorithms } from './signing-algorithms.ts';
import { loadTokenKeys, type TokenKeys } from './token-keys.ts';

export interface TokenOptions {
  /** The address of the token server. */
  realm: string;
  /** Our name, which tokens must have as their audience. */
  service: string;
  issuer: string;
  rootCertBundle: string;
  jwks: string;
  /** Empty: all of {@link signingAlgorithms}. */
  signingAlgorithms: string[];
  /** The token server is at this path of the host that the client called; absent: at `realm`. */
  autoRedirectPath?: string;
  logger: Logger;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Seconds that clocks may differ. */
const leeway = 60;

type Refusal = 'invalid_token' | 'insufficient_scope' | undefined;

/** Rejects with an Error when the files with the keys can't be used. */
export async function createTokenAuthenticator(options: TokenOptions): Promise<Authenticator> {
  const keys = await loadTokenKeys(options);
  const algorithms = options.signingAlgorithms.length > 0 ? options.signingAlgorithms : signingAlgorithms;

  function refuse(headers: IncomingHttpHeaders, access: Access[], error: Refusal, cause?: unknown): never {
    const realm = realmFor(options, headers);
    const header = challenge('Bearer', { realm, service: options.service, scope: scopeOf(access), error });
    throw unauthorized(header, access, cause);
  }

  async function claimsOf(token: string): Promise<JWTPayload> {
    const at = new Date((options.now ?? Date.now)());
    const { payload } = await jwtVerify(token, keyOf(keys, token, at), {
      algorithms,
      issuer: options.issuer,
      audience: options.service,
      clockTolerance: leeway,
      requiredClaims: ['exp'],
      currentDate: at,
    });
    return payload;
  }

  return {
    async authenticate(headers, access) {
      const token = parseBearer(headers.authorization);
      if (token === undefined) return refuse(headers, access, undefined);
      let claims: JWTPayload;
      try {
        claims = await claimsOf(token);
      } catch (error) {
        options.logger.info({ reason: (error as Error).message }, 'a token was refused');
        return refuse(headers, access, 'invalid_token', error);
      }
      const granted = grantsOf(claims);
      if (!access.every(granted)) return refuse(headers, access, 'insufficient_scope');
      return { name: claims.sub ?? '', unrestricted: false };
    },
  };
}

function keyOf(keys: TokenKeys, token: string, at: Date): NonNullable<ReturnType<TokenKeys['find']>> {
  const key = keys.find(decodeProtectedHeader(token), at);
  if (!key) throw new Error('the token is signed with a key that is not trusted');
  return key;
}

function realmFor({ realm, autoRedirectPath }: TokenOptions, headers: IncomingHttpHeaders): string {
  if (autoRedirectPath === undefined) return realm;
  const forwarded = headers['x-forwarded-proto'];
  const scheme = typeof forwarded === 'string' && forwarded !== '' ? forwarded : 'https';
  return `${scheme}://${headers.host ?? ''}${autoRedirectPath}`;
}

/** `repository:a/b:pull,push repository:c:pull` */
function scopeOf(access: Access[]): string {
  const actions = new Map<string, Set<string>>();
  for (const { Type, Name, Action } of access) {
    const resource = `${Type}:${Name}`;
    actions.set(resource, (actions.get(resource) ?? new Set()).add(Action));
  }
  return [...actions].map(([resource, set]) => `${resource}:${[...set].join(',')}`).join(' ');
}

/** The claim `access`; what in it is malformed grants nothing. `*` is every action. */
function grantsOf({ access }: JWTPayload): (access: Access) => boolean {
  const granted = new Set<string>();
  for (const item of Array.isArray(access) ? (access as unknown[]) : []) {
    const { type, name, actions } = (item ?? {}) as Record<string, unknown>;
    for (const action of Array.isArray(actions) ? (actions as unknown[]) : []) {
      granted.add(JSON.stringify([type, name, action]));
    }
  }
  return ({ Type, Name, Action }) =>
    granted.has(JSON.stringify([Type, Name, Action])) || granted.has(JSON.stringify([Type, Name, '*']));
}
