/** What one key alone can't say: the rules between the keys. */
import { signingAlgorithms } from '#registry/auth/signing-algorithms.ts';
import { listenAddress } from '#shared/settings.ts';
import { cipherSuites } from './cipher-suites.ts';
import type { Configuration } from './schema.ts';

type Rule = (configuration: Configuration) => string | undefined | false;

const rules: Rule[] = [
  ({ version }) => version !== '0.1' && `version: expected 0.1, found "${version}"`,
  ({ storage }) =>
    storage.filesystem &&
    storage.inmemory &&
    'storage: filesystem and inmemory are both given; exactly one driver can be used',
  ({ storage }) =>
    !storage.filesystem && !storage.inmemory && 'storage: no driver is given; add filesystem (or inmemory, for a try)',
  ({ auth }) => authProblem(auth),
  ({ notifications }) => endpointProblem(notifications.endpoints),
  ({ health }) => healthProblem(health),
  ({ http }) =>
    http.net === 'unix' && !http.addr.startsWith('/') && 'http.addr: with http.net unix it is the path of the socket',
  ({ http }) =>
    http.net !== 'unix' && !isAddress(http.addr) && `http.addr: expected host:port or :port, found "${http.addr}"`,
  ({ http }) =>
    http.debug.addr !== '' &&
    !isAddress(http.debug.addr) &&
    `http.debug.addr: expected host:port or :port, found "${http.debug.addr}"`,
  ({ http }) =>
    (http.tls.certificate === '') !== (http.tls.key === '') &&
    'http.tls: certificate and key are given together or not at all',
  ({ http }) =>
    http.tls.clientcas.length > 0 &&
    http.tls.certificate === '' &&
    'http.tls.clientcas: needs certificate and key as well',
  ({ http }) => cipherProblem(http.tls.ciphersuites),
  ({ http }) =>
    http.host !== '' &&
    !isOrigin(http.host) &&
    `http.host: expected a URL such as https://registry.example.com, found "${http.host}"`,
  ({ http }) => !/^(?:\/[A-Za-z0-9._~-]+)*\/?$/.test(http.prefix) && 'http.prefix: expected a path such as /registry/',
  ({ http }) => http.h2c.enabled && 'http.h2c.enabled: this registry does not support HTTP/2 without TLS (yet)',
  ({ http }) => headerProblem(http.headers),
  ({ http }) =>
    !http.debug.prometheus.path.startsWith('/') && 'http.debug.prometheus.path: expected a path such as /metrics',
];

export function checkRules(configuration: Configuration): string[] {
  return rules.map((rule) => rule(configuration)).filter((problem) => typeof problem === 'string');
}

function endpointProblem(endpoints: Configuration['notifications']['endpoints']): string | undefined {
  const used = endpoints.filter(({ disabled }) => !disabled);
  const repeated = repeatedOf(used.map(({ name }) => name));
  if (repeated !== undefined) return `notifications.endpoints: the name "${repeated}" is given twice`;
  const bad = used.find(({ name, url }) => name === '' || !isOrigin(url));
  return bad && `notifications.endpoints: each has a name and an http(s) url; found "${bad.name}" with "${bad.url}"`;
}

function repeatedOf(names: string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index);
}

/** Each check goes by what it looks at, and distribution's registry of checks takes no name twice either. */
function healthProblem({ file, http, tcp }: Configuration['health']): string | undefined {
  const uri = http.find((check) => !isWebAddress(check.uri))?.uri;
  if (uri !== undefined) return `health.http: expected a uri such as http://host/path, found "${uri}"`;
  const addr = tcp.find((check) => !isAddress(check.addr))?.addr;
  if (addr !== undefined) return `health.tcp: expected an addr such as host:port, found "${addr}"`;
  const names = [
    ...file.map((check) => check.file),
    ...http.map((check) => check.uri),
    ...tcp.map((check) => check.addr),
  ];
  if (names.includes('')) return 'health.file: each has the path of a file';
  const repeated = repeatedOf(names);
  return repeated === undefined ? undefined : `health: "${repeated}" is checked twice`;
}

/** Source: distribution, the constructors below registry/auth. */
function authProblem(auth: Configuration['auth']): string | undefined {
  const kinds = (['none', 'silly', 'htpasswd', 'token'] as const).filter((kind) => auth[kind] !== undefined);
  if (kinds.length > 1) return `auth: ${kinds.join(' and ')} are given; exactly one can be used`;
  const { silly, htpasswd, token } = auth;
  if (silly && (silly.realm === '' || silly.service === '')) return 'auth.silly: realm and service are both needed';
  if (htpasswd && (htpasswd.realm === '' || htpasswd.path === ''))
    return 'auth.htpasswd: realm and path are both needed';
  return token && tokenProblem(token);
}

function tokenProblem(token: NonNullable<Configuration['auth']['token']>): string | undefined {
  const missing = (['realm', 'service', 'issuer'] as const).filter((key) => token[key] === '');
  if (missing.length > 0) return `auth.token: ${missing.join(' and ')} must be given`;
  if (token.rootcertbundle === '' && token.jwks === '') return 'auth.token: rootcertbundle or jwks must be given';
  const unknown = token.signingalgorithms.filter((name) => !signingAlgorithms.includes(name));
  if (unknown.length === 0) return undefined;
  return `auth.token.signingalgorithms: ${unknown.join(', ')} is not one of ${signingAlgorithms.join(', ')}`;
}

function cipherProblem(names: string[]): string | undefined {
  const unknown = names.filter((name) => !cipherSuites.includes(name));
  if (unknown.length === 0) return undefined;
  return `http.tls.ciphersuites: ${unknown.join(', ')} is not one of ${cipherSuites.join(', ')}`;
}

function isAddress(text: string): boolean {
  try {
    listenAddress(text);
    return true;
  } catch {
    return false;
  }
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && isWebAddress(text) && url.search === '' && url.hash === '';
}

function isWebAddress(text: string): boolean {
  const protocol = URL.parse(text)?.protocol;
  return protocol === 'http:' || protocol === 'https:';
}

function headerProblem(headers: Record<string, string[]>): string | undefined {
  for (const [name, values] of Object.entries(headers)) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return `http.headers: "${name}" is not the name of a header`;
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be in a header
    if (values.some((value) => /[^\t\u0020-\u007e\u0080-\u00ff]/.test(value)))
      return `http.headers.${name}: not a valid value`;
  }
  return undefined;
}
