/** The two headers of HTTP authentication. Source: RFC 9110 11, RFC 7617, RFC 6750. */

export interface Credentials {
  user: string;
  password: string;
}

/** `undefined` for anything that is not exactly one pair in base64. */
export function parseBasic(header: string | undefined): Credentials | undefined {
  const encoded = parameterOf(header, 'basic');
  if (encoded === undefined || encoded.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The token; `undefined` when there is none. */
export function parseBearer(header: string | undefined): string | undefined {
  return parameterOf(header, 'bearer');
}

function parameterOf(header: string | undefined, scheme: string): string | undefined {
  const space = header?.indexOf(' ') ?? -1;
  if (header === undefined || header.slice(0, Math.max(space, 0)).toLowerCase() !== scheme) return undefined;
  const parameter = header.slice(space + 1);
  return parameter === '' ? undefined : parameter;
}

/** `Bearer realm="R",service="S"`; parameters without a value are left out. */
export function challenge(scheme: string, parameters: Record<string, string | undefined>): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`${name}=${quoted(value)}`],
  );
  return `${scheme} ${pairs.join(',')}`;
}

/** What a header can't hold is left out: a configured realm with a line break must not become two headers. */
function quoted(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what this removes
  return `"${text.replace(/[\u0000-\u001f\u007f]|[^\u0000-\u00ff]/g, '').replace(/["\\]/g, '\\$&')}"`;
}
