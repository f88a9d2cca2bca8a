import type { Methods } from './exchange.ts';

/** The value of Allow, which every 405 has (RFC 9110 15.5.6): HEAD is answered where GET is, and OPTIONS everywhere. */
export function allowOf(methods: Methods): string {
  return [...Object.keys(methods), ...(methods.GET && !methods.HEAD ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}
