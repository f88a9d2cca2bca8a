import type { Authenticator } from './authenticator.ts';
import { challenge } from './header.ts';
import { unauthorized } from './refusal.ts';

export interface SillyOptions {
  realm: string;
  service: string;
}

/**
 * Lets everybody in who sends any Authorization header: for tests of clients, never for a registry that matters.
 * Source: distribution, registry/auth/silly/access.go.
 */
export function createSilly({ realm, service }: SillyOptions): Authenticator {
  return {
    async authenticate({ authorization }, access) {
      if (authorization !== undefined && authorization !== '') return { name: 'silly', unrestricted: true };
      const scope = access.map(({ Type, Name, Action }) => `${Type}:${Name}:${Action}`).join(' ');
      throw unauthorized(challenge('Bearer', { realm, service, scope }), access);
    },
  };
}
