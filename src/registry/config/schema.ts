/**
 * The table of config.yml: distribution v3's keys with their defaults and meaning, and what stands below `extensions`,
 * which is ours. Source: distribution, docs/content/about/configuration.md and configuration/configuration.go.
 */
import { largestManifest } from '#registry/oci/manifest.ts';
import {
  bytes,
  choice,
  dictionary,
  duration,
  flag,
  interval,
  limit,
  list,
  optional,
  parameters,
  pattern,
  section,
  text,
  unsupported,
  whole,
  word,
  type Value,
} from './fields.ts';

const second = 1000;
const hour = 3_600_000;
const MiB = 2 ** 20;

const log = section({
  level: word('', '', 'error', 'warn', 'info', 'debug'),
  formatter: word('text', 'text', 'json', 'logstash'),
  fields: dictionary(text()),
  accesslog: section({ disabled: flag() }),
  reportcaller: unsupported('the place in the source of each log line', 'reportcaller'),
  hooks: unsupported('log lines sent by mail', 'hooks'),
});

const filesystem = parameters({
  rootdirectory: text('/var/lib/registry'),
  // Distribution's limit of operating-system threads; accepted, since Node has one pool of threads (UV_THREADPOOL_SIZE).
  maxthreads: whole(100),
});

/** What distribution knows below sections that this registry does not have; see `Unsupported`. */
const foreign = {
  s3: `accesskey secretkey sessiontoken region regionendpoint redirectendpoint forcepathstyle accelerate usedualstack
    usefipsendpoint bucket encrypt keyid secure skipverify v4auth chunksize multipartcopychunksize
    multipartcopymaxconcurrency multipartcopythresholdsize rootdirectory storageclass objectacl useragent loglevel`,
  gcs: 'bucket keyfile credentials rootdirectory chunksize maxconcurrency useragent',
  azure: 'accountname accountkey container credentials realm rootdirectory',
  redis: `addrs addr clientname db protocol username password sentinelusername sentinelpassword maxretries minretrybackoff
    maxretrybackoff dialtimeout readtimeout writetimeout contexttimeoutenabled pool poolfifo poolsize pooltimeout minidleconns
    maxidleconns maxactiveconns connmaxidletime connmaxlifetime maxredirects readonly routebylatency routerandomly mastername
    disableidentity identitysuffix unstableresp3 tls`,
};

function keysOf(section: keyof typeof foreign): string[] {
  return foreign[section].split(/\s+/);
}

const storage = choice({
  filesystem: optional(filesystem),
  inmemory: optional(parameters({})),
  s3: unsupported('S3 storage', ...keysOf('s3')),
  gcs: unsupported('Google Cloud storage', ...keysOf('gcs')),
  azure: unsupported('Azure storage', ...keysOf('azure')),
  delete: parameters({ enabled: flag() }),
  redirect: parameters({ disable: flag() }),
  cache: parameters({
    // Accepted: immutable content is always cached in memory, see extensions.cache.
    blobdescriptor: word('inmemory', 'inmemory'),
    layerinfo: word('inmemory', 'inmemory'),
    blobdescriptorsize: whole(10_000),
  }),
  tag: parameters({ concurrencylimit: whole(0) }),
  maintenance: parameters({
    uploadpurging: parameters({
      enabled: flag(true),
      age: duration(168 * hour),
      interval: interval(24 * hour),
      dryrun: flag(),
    }),
    readonly: parameters({ enabled: flag() }),
  }),
});

const auth = choice({
  none: optional(parameters({})),
  silly: optional(parameters({ realm: text(), service: text() })),
  htpasswd: optional(parameters({ realm: text(), path: text() })),
  token: optional(
    parameters({
      realm: text(),
      service: text(),
      issuer: text(),
      rootcertbundle: text(),
      jwks: text(),
      signingalgorithms: list(text()),
      autoredirect: flag(),
      autoredirectpath: text('/auth/token'),
    }),
  ),
});

const tls = section({
  certificate: text(),
  key: text(),
  clientcas: list(text()),
  clientauth: word(
    '',
    '',
    'request-client-cert',
    'require-any-client-cert',
    'verify-client-cert-if-given',
    'require-and-verify-client-cert',
  ),
  minimumtls: word('tls1.2', 'tls1.2', 'tls1.3'),
  ciphersuites: list(text()),
  letsencrypt: unsupported("certificates from Let's Encrypt", 'cachefile', 'email', 'hosts', 'directoryurl'),
});

const http = section({
  addr: text(':5000'),
  net: word('tcp', 'tcp', 'unix'),
  prefix: text(),
  host: text(),
  // Accepted: distribution signs the state of uploads with it; ours is kept on disk.
  secret: text(),
  relativeurls: flag(),
  /** Absent: ten seconds. Distribution's 0 closes at once what is running. */
  draintimeout: duration(10 * second),
  headers: dictionary(list(text())),
  tls,
  debug: section({ addr: text(), prometheus: section({ enabled: flag(), path: text('/metrics') }) }),
  http2: section({ disabled: flag() }),
  h2c: section({ enabled: flag() }),
});

const checkInterval = { interval: interval(10 * second), threshold: whole(1) };

const health = section({
  storagedriver: section({ enabled: flag(), ...checkInterval }),
  file: list(section({ file: text(), ...checkInterval })),
  http: list(
    section({
      uri: text(),
      statuscode: limit(200),
      timeout: duration(0),
      headers: dictionary(list(text())),
      ...checkInterval,
    }),
  ),
  tcp: list(section({ addr: text(), timeout: duration(0), ...checkInterval })),
});

const notifications = section({
  events: section({ includereferences: flag() }),
  endpoints: list(
    section({
      name: text(),
      disabled: flag(),
      url: text(),
      headers: dictionary(list(text())),
      /** Absent or 0: one second. */
      timeout: duration(0),
      /** Absent or 0: ten. */
      threshold: whole(0),
      /** Absent or 0: one second. */
      backoff: duration(0),
      ignoredmediatypes: list(text()),
      ignore: section({ mediatypes: list(text()), actions: list(text()) }),
    }),
  ),
});

const validation = section({
  enabled: flag(),
  disabled: flag(),
  manifests: section({
    urls: section({ allow: list(pattern()), deny: list(pattern()) }),
    indexes: section({
      platforms: word('all', 'all', 'none', 'list'),
      platformlist: list(section({ architecture: text(), os: text() })),
    }),
  }),
});

/** Of requests at a time, as OpenShift's image registry has it; 0 is none. */
const requestLimit = section({ maxrunning: whole(0), maxinqueue: whole(0), maxwaitinqueue: duration(0) });

const extensions = section({
  manifests: section({
    /** The largest manifest that is taken; distribution-spec asks for at least 4 MB. */
    maxbytes: bytes(4 * MiB, largestManifest),
    /** Whether images and indexes are taken of which blobs or children are missing. */
    sparse: flag(),
  }),
  /** Memory for manifests and small blobs. */
  cache: section({ bytes: bytes(64 * MiB) }),
  limits: section({ read: requestLimit, write: requestLimit }),
  /** The queue on disk of each endpoint of notifications. */
  notifications: section({ maxbytes: bytes(64 * MiB) }),
  garbagecollection: section({
    /** Time between collections in the running server; 0: none. */
    interval: duration(0),
    /** What was written within this time is kept. Absent: an hour in the server, 0 for `registry garbage-collect`. */
    minage: duration(0),
    /** The server also removes manifests that no tag keeps; the command has a flag for it. */
    deleteuntagged: flag(),
  }),
  scrub: section({
    /** Time between verifications of all blobs in the running server; 0: none. */
    interval: duration(0),
    /** Bytes that it, and `registry scrub`, read per second at most; 0: no limit. */
    bytespersecond: bytes(32 * MiB),
    /** What was set aside is deleted after this time, at the end of a scrub in the running server; 0: never. */
    quarantineage: duration(0),
  }),
});

export const schema = section({
  version: text(),
  log,
  loglevel: word('', '', 'error', 'warn', 'info', 'debug'),
  storage,
  auth,
  middleware: unsupported('middleware', 'registry', 'repository', 'storage'),
  http,
  notifications,
  redis: unsupported('a cache in Redis', ...keysOf('redis')),
  health,
  catalog: section({ maxentries: limit(1000) }),
  tags: section({ maxtags: limit(1000) }),
  proxy: unsupported('pull-through caching', 'remoteurl', 'username', 'password', 'exec', 'ttl', 'cachewritetimeout'),
  validation,
  policy: unsupported('a policy of repository classes', 'repository'),
  extensions,
});

export type Configuration = Value<typeof schema>;
