import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ConfigurationError, loadConfiguration, parseConfiguration, type Environment } from './load.ts';
import type { Configuration } from './schema.ts';

const minimal = 'version: 0.1\nstorage: {filesystem: {rootdirectory: /data}}\n';

function read(source: string, env: Environment = {}): Configuration {
  return parseConfiguration(source, env).configuration;
}

function problemsOf(source: string, env: Environment = {}): string {
  try {
    parseConfiguration(source, env);
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error));
    return error.message;
  }
  return '';
}

test('what is not given has the default of distribution', () => {
  const { log, storage, http, catalog, tags, validation } = read('version: 0.1\nstorage: filesystem\n');
  assert.equal(log.formatter, 'text');
  assert.equal(storage.filesystem?.rootdirectory, '/var/lib/registry');
  assert.equal(storage.delete.enabled, false);
  assert.deepEqual(storage.maintenance.uploadpurging, {
    enabled: true,
    age: 604_800_000,
    interval: 86_400_000,
    dryrun: false,
  });
  assert.equal(http.addr, ':5000');
  assert.equal(http.debug.prometheus.path, '/metrics');
  assert.equal(catalog.maxentries, 1000);
  assert.equal(tags.maxtags, 1000);
  assert.equal(validation.manifests.indexes.platforms, 'all');
});

test('the table decides the type of a value, not YAML', () => {
  const { log, http, storage } = read(`${minimal}log: {level: INFO, fields: {zone: 007}}
http: {secret: 1234, draintimeout: 1m30s, headers: {X-Version: [1.10]}}
`);
  assert.equal(log.level, 'info');
  assert.equal(log.fields['zone'], '007');
  assert.equal(http.secret, '1234');
  assert.equal(http.draintimeout, 90_000);
  assert.deepEqual(http.headers, { 'X-Version': ['1.10'] });
  assert.equal(storage.filesystem?.maxthreads, 100);
});

test('an endpoint of notifications that is disabled may be unfinished', () => {
  const endpoint = '{name: a, disabled: true}';
  assert.equal(
    read(`${minimal}notifications: {endpoints: [${endpoint}, ${endpoint}]}\n`).notifications.endpoints.length,
    2,
  );
});

test('a zero where distribution takes it for its default, and more than a timer can wait', () => {
  const { health, storage } = read(`version: 0.1
storage: {filesystem: {}, maintenance: {uploadpurging: {interval: 0s}}}
health: {storagedriver: {interval: 0}, http: [{uri: "http://a", statuscode: 0, interval: 10000h}]}
`);
  assert.equal(storage.maintenance.uploadpurging.interval, 86_400_000);
  assert.equal(health.storagedriver.interval, 10_000);
  assert.deepEqual([health.http[0]?.statuscode, health.http[0]?.interval], [200, 2 ** 31 - 1]);
});

interface Case {
  env: Environment;
  check: (configuration: Configuration) => void;
}

const overrides: Record<string, Case> = {
  'a path in upper case': {
    env: { REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: '/else' },
    check: (c) => assert.equal(c.storage.filesystem?.rootdirectory, '/else'),
  },
  'a parent before its child, whatever the order of the environment': {
    env: { REGISTRY_STORAGE_INMEMORY: '{}', REGISTRY_STORAGE_DELETE_ENABLED: 'yes', REGISTRY_STORAGE: 'inmemory' },
    check: (c) => {
      assert.equal(c.storage.filesystem, undefined);
      assert.ok(c.storage.inmemory);
      assert.equal(c.storage.delete.enabled, true);
    },
  },
  'a whole map as YAML': {
    env: { REGISTRY_HTTP_HEADERS: '{X-A: [b], X-C: [d, e]}' },
    check: (c) => assert.deepEqual(c.http.headers, { 'X-A': ['b'], 'X-C': ['d', 'e'] }),
  },
  'an element of a list, and one after the last': {
    env: { REGISTRY_HTTP_TLS_CLIENTCAS_0: '/a.pem', REGISTRY_HTTP_TLS_CLIENTCAS_1: '/b.pem', ...tlsFiles() },
    check: (c) => assert.deepEqual(c.http.tls.clientcas, ['/a.pem', '/b.pem']),
  },
  'fields of an element': {
    env: {
      REGISTRY_VALIDATION_MANIFESTS_INDEXES_PLATFORMLIST_0_OS: 'linux',
      REGISTRY_VALIDATION_MANIFESTS_INDEXES_PLATFORMLIST_0_ARCHITECTURE: 'arm64',
    },
    check: (c) =>
      assert.deepEqual(c.validation.manifests.indexes.platformlist, [{ architecture: 'arm64', os: 'linux' }]),
  },
  'a key of a dictionary': {
    env: { REGISTRY_LOG_FIELDS_SERVICE: 'registry' },
    check: (c) => assert.deepEqual(c.log.fields, { service: 'registry' }),
  },
  'our own keys': {
    env: { REGISTRY_EXTENSIONS_MANIFESTS_MAXBYTES: '8Mi' },
    check: (c) => assert.equal(c.extensions.manifests.maxbytes, 8 * 2 ** 20),
  },
};

function tlsFiles(): Environment {
  return { REGISTRY_HTTP_TLS_CERTIFICATE: '/tls.crt', REGISTRY_HTTP_TLS_KEY: '/tls.key' };
}

for (const [name, { env, check }] of Object.entries(overrides)) {
  test(`environment: ${name}`, () => check(read(minimal, env)));
}

test('names that lead to no key are warned about: Kubernetes sets such for a Service called registry', () => {
  const { warnings } = parseConfiguration(minimal, {
    REGISTRY_PORT: 'tcp://10.0.0.1:5000',
    REGISTRY_SERVICE_HOST: '10.0.0.1',
    REGISTRY_PROXY_PORT_5000_TCP: 'tcp://10.0.0.2:5000',
    REGISTRY_VERSION: '0.2',
    REGISTRY_CONFIGURATION_PATH: '/etc/x.yml',
    HOME: '/root',
  });
  assert.equal(warnings.length, 4);
  assert.match(
    warnings.join('\n'),
    /REGISTRY_PORT.*\n.*REGISTRY_PROXY_PORT.*\n.*REGISTRY_SERVICE_HOST.*\n.*REGISTRY_VERSION/,
  );
});

test('whoever asks for traces is told that there are none', () => {
  const warnings = (exporter?: string) => parseConfiguration(minimal, { OTEL_TRACES_EXPORTER: exporter }).warnings;
  assert.match(warnings('otlp').join(), /OTEL_TRACES_EXPORTER=otlp: this registry sends no traces/);
  assert.deepEqual([...warnings('none'), ...warnings('')], []);
});

const refused: [source: string, env: Environment, message: RegExp][] = [
  ['', {}, /version: expected 0\.1/],
  ['- a', {}, /expected a map/],
  ['a: [', {}, /not YAML/],
  ['version: 0.1\n', {}, /storage: no driver/],
  [`${minimal}htpp: {}\n`, {}, /htpp: unknown key/],
  [`${minimal}http: {adr: x}\n`, {}, /http\.adr: unknown key; known here: addr/],
  [`${minimal}proxy: {remoteurl: https://x}\n`, {}, /proxy: .*pull-through/],
  [`${minimal}redis: {addrs: [a]}\n`, {}, /redis: /],
  [`${minimal}auth: {htpasswd: {realm: x}}\n`, {}, /auth\.htpasswd: realm and path/],
  [`${minimal}auth: {token: {realm: x, service: y}}\n`, {}, /auth\.token: issuer must be given/],
  [`${minimal}auth: {none: {}, silly: {realm: x, service: y}}\n`, {}, /none and silly are given/],
  [minimal, { REGISTRY_PROXY_REMOTEURL: 'https://x' }, /proxy: .*pull-through/],
  [minimal, { REGISTRY_STORAGE_S3_BUCKET: 'x' }, /storage\.s3: .*S3/],
  [minimal, { REGISTRY_STORAGE_S3_FORCEPATHSTYLE: 'true' }, /storage\.s3: .*S3/],
  [minimal, { REGISTRY_REDIS_DIALTIMEOUT: '10ms' }, /redis: /],
  [minimal, { REGISTRY_STORAGE_SWIFT_CONTAINER: 'x' }, /storage\.swift: unknown key/],
  [minimal, { REGISTRY_HTTP_TLS_CLIENTCAS_3: 'x' }, /the next index is 0/],
  [minimal, { REGISTRY_HTTP_TLS_CLIENTCAS_X: 'x' }, /index of a list element/],
  [minimal, { REGISTRY_STORAGE_INMEMORY: '{}' }, /exactly one driver/],
  [`${minimal}http: {draintimeout: soon}\n`, {}, /draintimeout: expected a duration .*"soon"/],
  [`${minimal}http: {addr: "5000"}\n`, {}, /http\.addr: expected host:port/],
  [`${minimal}http: {host: registry}\n`, {}, /http\.host: expected a URL/],
  [
    `${minimal}notifications: {endpoints: [{name: a}]}\n`,
    {},
    /notifications\.endpoints: each has a name and .* url; found "a"/,
  ],
  [`${minimal}health: {http: [{interval: 1s}]}\n`, {}, /health\.http: expected a uri/],
  [`${minimal}health: {tcp: [{addr: localhost}]}\n`, {}, /health\.tcp: expected an addr .*"localhost"/],
  [`${minimal}health: {file: [{interval: 1s}]}\n`, {}, /health\.file: each has the path/],
  [`${minimal}health: {file: [{file: /a}, {file: /b}, {file: /a}]}\n`, {}, /health: "\/a" is checked twice/],
  [`${minimal}http: {prefix: x}\n`, {}, /http\.prefix: /],
  [`${minimal}http: {tls: {certificate: a}}\n`, {}, /certificate and key/],
  [
    `${minimal}http: {tls: {ciphersuites: [TLS_NULL]}}\n`,
    {},
    /http\.tls\.ciphersuites: TLS_NULL is not one of TLS_RSA/,
  ],
  [`${minimal}http: {tls: {minimumtls: tls1.1}}\n`, {}, /minimumtls: expected one of tls1\.2, tls1\.3/],
  [`${minimal}http: {headers: {X: plain}}\n`, {}, /http\.headers\.X: expected a list/],
  [
    `${minimal}extensions: {manifests: {maxbytes: 65Mi}}\n`,
    {},
    /extensions\.manifests\.maxbytes: expected 67108864 or less/,
  ],
  [`${minimal}validation: {manifests: {urls: {allow: ["("]}}}\n`, {}, /allow\[0\]: expected a regular expression/],
];

for (const [index, [source, env, message]] of refused.entries()) {
  test(`refused ${index}: ${String(message)}`, () => assert.match(problemsOf(source, env), message));
}

test('all problems are named at once', () => {
  const message = problemsOf('version: 0.2\nstorage: {s3: {bucket: b}}\nlog: {level: loud}\nnope: 1\n');
  for (const expected of [/version:/, /storage\.s3:/, /storage: no driver/, /log\.level:/, /nope:/]) {
    assert.match(message, expected);
  }
});

test('an empty section asks for nothing', () => {
  const source = `${minimal}proxy:\nnotifications: {endpoints: []}\nauth: none\nmiddleware: {}\n`;
  assert.ok(read(source).auth.none);
});

for (const example of ['config.yml', 'local.yml']) {
  test(`examples/${example} can be used as it is`, async () => {
    const file = fileURLToPath(new URL(`../../../examples/${example}`, import.meta.url));
    assert.deepEqual((await loadConfiguration(file, {})).warnings, []);
  });
}
