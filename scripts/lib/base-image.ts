/**
 * The base of the image. The official one where an image registry can be reached; otherwise one made of the Node.js that
 * runs this script (the npm package `node`) and of the libraries that it is linked with on this very machine.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run, succeeds } from './command.ts';
import { pull, type Engine } from './engine.ts';
import { Unmet, type Report } from './progress.ts';

const official = 'docker.io/library/node:24-slim';

/** Name lookups that older C libraries load at run time, and certificates for those who ask for the system's. */
const loadedLater = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'];
const certificates = '/etc/ssl/certs/ca-certificates.crt';

const accounts: Record<string, string> = {
  'etc/passwd': 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
  'etc/group': 'root:x:0:\nnonroot:x:65532:\n',
  'etc/nsswitch.conf': 'hosts: files dns\n',
};

/** Reference of a base image that this engine has now. */
export async function baseImage(engine: Engine, report: Report): Promise<string> {
  const own = `localhost/registry-operator-base:${await ownTag()}`;
  for (const reference of [official, own]) {
    if (await engine.hasImage(reference)) return reference;
  }
  if (await pull(engine, official, report)) return official;
  report(`${official} cannot be pulled, making a base from this machine's Node.js`);
  await importOwn(engine, own);
  return own;
}

async function ownTag(): Promise<string> {
  const source = [process.version, process.arch, ...(await libraries()), JSON.stringify(accounts)].join('\n');
  return `${process.version}-${createHash('sha256').update(source).digest('hex').slice(0, 8)}`;
}

/** Paths of the shared libraries that the running Node.js needs, its loader included. */
async function libraries(): Promise<string[]> {
  if (process.platform !== 'linux') {
    throw new Unmet(`The base image ${official} cannot be pulled: connect to its registry, or pull it by hand first.`);
  }
  const output = await run('ldd', [process.execPath]);
  const found = [...output.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1] ?? '');
  const folder = dirname(found.find((path) => /libc\.so/.test(path)) ?? '/lib/libc.so');
  const later = loadedLater.map((name) => join(folder, name));
  const there = await Promise.all(later.map(async (path) => (await succeeds('test', ['-f', path])) && path));
  return [...found, ...there.filter((path) => path !== false)];
}

async function importOwn(engine: Engine, reference: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'registry-operator-base-'));
  try {
    await layOut(folder);
    const archive = join(folder, '..', `${folder.split('/').at(-1)}.tar`);
    try {
      await run('tar', ['--owner=0', '--group=0', '--sort=name', '--mtime=@0', '-C', folder, '-cf', archive, '.']);
      await engine.run(['import', '--change', 'ENV PATH=/usr/local/bin:/usr/bin:/bin', archive, reference]);
    } finally {
      await rm(archive, { force: true });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function layOut(folder: string): Promise<void> {
  const place = async (source: string, target: string) => {
    await mkdir(dirname(join(folder, target)), { recursive: true });
    await cp(await realpath(source), join(folder, target));
  };
  await place(process.execPath, 'usr/local/bin/node');
  for (const library of await libraries()) await place(library, library);
  if (await succeeds('test', ['-f', certificates])) await place(certificates, certificates);
  for (const [path, content] of Object.entries(accounts)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  await mkdir(join(folder, 'tmp'), { mode: 0o777 });
  await run('chmod', ['1777', join(folder, 'tmp')]);
  await run('chmod', ['755', folder]);
}
