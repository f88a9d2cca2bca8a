/** Requests that no honest client sends, as bytes, in an order that a seed decides. */

export interface HostileRequest {
  bytes: Buffer;
  /** It is not whole, so that no answer need come: its sender goes away. */
  unfinished: boolean;
}

type Random = () => number;
type Maker = (random: Random) => string;

const digest = `sha256:${'ab'.repeat(32)}`;
const uuid = '01234567-89ab-4cde-8f01-23456789abcd';

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

function noise(random: Random, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(Math.floor(random() * 256))).join('');
}

const methods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'CONNECT',
  'BREW',
  '',
];
const segments = [
  'fuzz',
  'a',
  'manifests',
  'blobs',
  'uploads',
  'tags',
  'list',
  'referrers',
  '_catalog',
  '_uploads',
  '',
  '.',
  '..',
  '../../../../etc/passwd',
  '..\\..\\windows',
  '%2e%2e',
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '%252e%252e',
  '..%c0%af',
  '%00',
  '%ff%fe',
  '%',
  '%zz',
  '\0',
  '\u00e9\u00ff',
  '%e2%80%ae%f0%9f%98%80',
  digest,
  `${digest}0`,
  digest.toUpperCase(),
  'sha256:',
  'sha256:../../../etc',
  `sha512:${'0'.repeat(128)}`,
  'md5:d41d8cd98f00b204e9800998ecf8427e',
  uuid,
  'a'.repeat(129),
  'a'.repeat(5000),
  'a/'.repeat(200),
  '__proto__',
  'constructor',
  'v1\r\nX: y',
] as const;
const values = [
  '',
  '0',
  '-1',
  '1e9',
  '0x10',
  '99999999999999999999',
  'NaN',
  digest,
  '../..',
  '%00',
  "'; drop table blobs; --",
  '\u00ff'.repeat(40),
  'a'.repeat(20_000),
];
const ranges = [
  'bytes=0-',
  'bytes=-0',
  'bytes=5-1',
  'bytes=99999999999999999999-',
  'bytes=0-0,'.repeat(500),
  'bytes=--1',
  'bytes=a-b',
  'lines=1-2',
  '0-99999999999999999999',
  '5-1',
  '-1-5',
  '0-0-0',
];
const names = [
  'Range',
  'Content-Range',
  'If-Range',
  'If-Match',
  'If-None-Match',
  'Accept',
  'Content-Type',
  'Content-Encoding',
  'Authorization',
  'Forwarded',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'Expect',
  'Upgrade',
  'Connection',
  'Transfer-Encoding',
  'Content-Length',
  'Host',
  'Cookie',
  'X-Request-Id',
  '__proto__',
];

const path: Maker = (random) => {
  const known = [
    'fuzz/manifests/x',
    `fuzz/manifests/${digest}`,
    `fuzz/blobs/${digest}`,
    'fuzz/blobs/uploads/',
    `fuzz/blobs/uploads/${uuid}`,
    'fuzz/tags/list',
    `fuzz/referrers/${digest}`,
    '_catalog',
  ];
  if (random() < 0.5) return `/v2/${pick(random, known)}`;
  return `/v2/${Array.from({ length: Math.floor(random() * 6) }, () => pick(random, segments)).join('/')}`;
};

const query: Maker = (random) => {
  const keys = ['n', 'last', 'digest', 'mount', 'from', 'tag', 'digest-algorithm', 'artifactType', 'ns', '__proto__'];
  const pairs = Array.from(
    { length: Math.floor(random() * 4) },
    () => `${pick(random, keys)}=${pick(random, random() < 0.5 ? values : segments)}`,
  );
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
};

const headers: Maker = (random) => {
  const lines = Array.from({ length: Math.floor(random() * 5) }, () => {
    const value = pick(random, random() < 0.4 ? ranges : values);
    return `${pick(random, names)}: ${random() < 0.1 ? noise(random, 20) : value}\r\n`;
  });
  return lines.join('');
};

const manifestBodies = [
  '{',
  'null',
  '[]',
  '"x"',
  '\0'.repeat(1000),
  '['.repeat(100_000),
  `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
  '{"schemaVersion":2,"layers":null,"config":[]}',
  `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"digest":"${digest}","size":-1},"layers":[]}`,
  `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[${`{"digest":"${digest}","size":1},`.repeat(500)}{}]}`,
  '{"__proto__":{"schemaVersion":2},"constructor":1}',
];

function message(line: string, fields: string, body = ''): string {
  return `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${fields}\r\n${body}`;
}

const odd: Maker = (random) => {
  const body = random() < 0.3 ? pick(random, manifestBodies) : '';
  const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n`;
  return message(`${pick(random, methods)} ${path(random)}${query(random)}`, headers(random) + length, body);
};

const badManifest: Maker = (random) => {
  const body = pick(random, manifestBodies);
  const type = pick(random, [
    '',
    'Content-Type: application/vnd.oci.image.manifest.v1+json\r\n',
    'Content-Type: ;\r\n',
  ]);
  return message('PUT /v2/fuzz/manifests/x', `${type}Content-Length: ${body.length}\r\n`, body);
};

const badChunks: Maker = (random) => {
  const chunk = pick(random, [
    'zz\r\n',
    '-5\r\nhello\r\n',
    'ffffffffffffffffff\r\nx',
    '5\r\nhel',
    '5;a=b\r\nhello\r\n0\r\n\r\n',
    '5\nhello',
  ]);
  return message(`${pick(random, ['PUT', 'PATCH', 'POST'])} ${path(random)}`, 'Transfer-Encoding: chunked\r\n', chunk);
};

const badLength: Maker = (random) => {
  const length = pick(random, ['99999999999999999999', '-1', '1e3', '0x5', '+5', '5, 5', ' ', '9007199254740993']);
  return message(`${pick(random, ['PUT', 'PATCH', 'POST'])} ${path(random)}`, `Content-Length: ${length}\r\n`, 'x');
};

const smuggled: Maker = (random) => {
  const second = 'GET /v2/_catalog HTTP/1.1\r\nHost: x\r\n\r\n';
  const fields = pick(random, [
    `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`,
    `Content-Length: 5\r\nContent-Length: 6\r\n`,
    `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n`,
    `Transfer-Encoding: xchunked\r\n`,
    `Transfer-Encoding : chunked\r\n`,
    ` Content-Length: 5\r\n`,
    `Content-Length\r\n`,
  ]);
  return message(`POST ${path(random)}`, fields, `0\r\n\r\n${second}`);
};

const flood: Maker = (random) =>
  pick(random, [
    () => message('GET /v2/', Array.from({ length: 3000 }, (_, i) => `X-${i}: y\r\n`).join('')),
    () => message('GET /v2/', `X: ${'y'.repeat(70_000)}\r\n`),
    () => message('GET /v2/', 'Cookie: a=b\r\n'.repeat(1500)),
    () => message(`GET /v2/${'a/'.repeat(20_000)}`, ''),
    () => message(`GET /v2/?${'n=1&'.repeat(7000)}`, ''),
  ])();

const broken: Maker = (random) =>
  pick(random, [
    () => noise(random, 1 + Math.floor(random() * 300)),
    () => 'GET\r\n\r\n',
    () => 'GET /v2/\r\n\r\n',
    () => 'GET /v2/ HTTP/9.9\r\n\r\n',
    () => 'GET  /v2/  HTTP/1.1\r\n\r\n',
    () => 'GET /v2/ HTTP/1.1\nHost: x\n\n',
    () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    () => `GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${noise(random, 50)}\r\n\r\n`,
    () => message('GET http://[::1/v2/', ''),
    () => message('GET *', ''),
    () => message('GET //evil.example/v2/', ''),
    () => message('GET /v2/?x#y', ''),
  ])();

const makers: [share: number, make: Maker][] = [
  [0.5, odd],
  [0.1, badManifest],
  [0.08, badChunks],
  [0.08, badLength],
  [0.08, smuggled],
  [0.04, flood],
  [0.12, broken],
];

/** A few bytes are changed in one of ten, and one of ten ends somewhere in the middle. */
export function hostileRequest(random: Random): HostileRequest {
  let choice = random();
  const [, make] = makers.find(([share]) => (choice -= share) < 0) ?? [0, odd];
  const bytes = Buffer.from(make(random), 'latin1');
  const treatment = random();
  if (treatment < 0.1) {
    for (let i = 0; i < 3; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  }
  const unfinished = treatment > 0.9;
  return { bytes: unfinished ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes, unfinished };
}
