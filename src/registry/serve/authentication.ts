/** The configured `auth`; its code is loaded only where it is on. */
import type { Authenticator } from '#registry/auth/authenticator.ts';
import type { Configuration } from '#registry/config/schema.ts';
import type { Logger } from '#shared/logger.ts';

type Authentication = Configuration['auth'];

/** `undefined` without one: everybody may do everything. Rejects when its files can't be used. */
export async function openAuthenticator(auth: Authentication, logger: Logger): Promise<Authenticator | undefined> {
  if (auth.htpasswd) return openHtpasswd(auth.htpasswd, logger);
  if (auth.token) return openToken(auth.token, logger);
  if (!auth.silly) return undefined;
  logger.warn('auth.silly lets everybody in: it is there to try clients out');
  const { createSilly } = await import('#registry/auth/silly.ts');
  return createSilly(auth.silly);
}

async function openHtpasswd(
  { realm, path }: NonNullable<Authentication['htpasswd']>,
  logger: Logger,
): Promise<Authenticator> {
  const [{ createBcryptThread }, { createHtpasswd }, { provisionHtpasswd }] = await Promise.all([
    import('#registry/auth/bcrypt-thread.ts'),
    import('#registry/auth/htpasswd.ts'),
    import('#registry/auth/provision.ts'),
  ]);
  try {
    const password = await provisionHtpasswd(path);
    if (password !== undefined) {
      logger.warn({ user: 'docker', password, path }, 'htpasswd is missing, provisioning with default user');
    }
    return await createHtpasswd({ realm, path, compare: createBcryptThread(), logger });
  } catch (error) {
    throw new Error(`auth.htpasswd.path: ${path} can't be used: ${(error as Error).message}`, { cause: error });
  }
}

async function openToken(token: NonNullable<Authentication['token']>, logger: Logger): Promise<Authenticator> {
  const { createTokenAuthenticator } = await import('#registry/auth/token.ts');
  try {
    return await createTokenAuthenticator({
      realm: token.realm,
      service: token.service,
      issuer: token.issuer,
      rootCertBundle: token.rootcertbundle,
      jwks: token.jwks,
      signingAlgorithms: token.signingalgorithms,
      ...(token.autoredirect ? { autoRedirectPath: token.autoredirectpath } : {}),
      logger,
    });
  } catch (error) {
    throw new Error(`auth.token: ${(error as Error).message}`, { cause: error });
  }
}
