import type { FastifyServerOptions } from 'fastify';

/** Routes have no JSON schemas, and saying so saves every start fastify's two schema compilers, a third of its code. */
export const withoutSchemas: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: { buildValidator: refuse, buildSerializer: refuse },
};

function refuse(): never {
  throw new Error('a route has a JSON schema, for which fastify has no compiler here');
}
