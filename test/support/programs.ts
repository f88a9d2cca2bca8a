/**
 * The real programs that tests run against: clients, peers and servers, each from its package registry. A program that
 * the machine has is taken as it is; a missing one is installed once, below ~/.cache/registry-operator/programs or by apt.
 */
import { execFile } from 'node:child_process';
import { access, constants, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { clusterProgram } from './cluster-program.ts';

const execute = promisify(execFile);

/** Versions are pinned: a test that turns red does so because of us. */
const goPrograms: Record<string, string> = {
  conformance: 'github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111',
  crane: 'github.com/google/go-containerregistry/cmd/crane@v0.22.1',
  oras: 'oras.land/oras/cmd/oras@v1.3.6',
  regctl: 'github.com/regclient/regclient/cmd/regctl@v0.11.7',
  cosign: 'github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3',
  moby: 'github.com/moby/moby/v2/cmd/dockerd@v2.0.0-beta.24',
  'distribution-registry': 'github.com/distribution/distribution/v3/cmd/registry@v3.1.2',
};

/** What test clusters are made with, too, and is built once for both. */
const clusterPrograms = new Set(['helm']);

const debianPackages: Record<string, string> = {
  skopeo: 'skopeo',
  podman: 'podman',
  'podman-compose': 'podman-compose',
  buildah: 'buildah',
  'docker-registry': 'docker-registry',
};

/** A package that would change the machine when it is installed, and where the program is in it: it is unpacked aside. */
const debianFiles: Record<string, [debian: string, file: string]> = {
  docker: ['docker.io', 'usr/bin/docker'],
  dockerd: ['docker.io', 'usr/sbin/dockerd'],
  containerd: ['containerd', 'usr/bin/containerd'],
  runc: ['runc', 'usr/sbin/runc'],
};

const folder = join(homedir(), '.cache', 'registry-operator', 'programs');
const running = new Map<string, Promise<string>>();

/** The path of a program, installed first when it is not there; rejects with what to install by hand. */
export function program(name: string): Promise<string> {
  let path = running.get(name);
  if (!path) {
    path = find(name);
    running.set(name, path);
  }
  return path;
}

async function find(name: string): Promise<string> {
  const module = goPrograms[name];
  if (module) return goInstall(name, module);
  const found = await inPath(name);
  if (found) return found;
  if (clusterPrograms.has(name)) return clusterProgram(name);
  const file = debianFiles[name];
  if (file) return inTurn(() => aptUnpack(name, ...file));
  const debian = debianPackages[name];
  if (!debian) throw new Error(`${name} is not in PATH`);
  return inTurn(() => aptInstall(name, debian));
}

let lastTurn: Promise<unknown> = Promise.resolve();

/** apt locks its lists: whoever comes second fails. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = lastTurn.then(work);
  lastTurn = turn.catch(() => {});
  return turn;
}

async function goInstall(name: string, module: string): Promise<string> {
  const version = module.slice(module.lastIndexOf('@') + 1);
  const target = join(folder, `${name}-${version}`);
  if (await isExecutable(target)) return target;
  const build = join(folder, `.build-${name}-${process.pid}`);
  await mkdir(build, { recursive: true });
  try {
    await execute('go', ['install', '-trimpath', '-ldflags=-s -w', module], {
      env: { ...process.env, GOBIN: build, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' },
      maxBuffer: 64 << 20,
    });
    const source = module.slice(0, module.lastIndexOf('@')).split('/').at(-1) ?? name;
    await rename(join(build, source), target);
    return target;
  } catch (error) {
    throw new Error(`${name} could not be built: install Go 1.26 or later, or run: go install ${module}`, {
      cause: error,
    });
  } finally {
    await rm(build, { recursive: true, force: true });
  }
}

async function aptUnpack(name: string, debian: string, file: string): Promise<string> {
  const target = join(folder, debian);
  if (await isExecutable(join(target, file))) return join(target, file);
  const work = join(folder, `.unpack-${name}-${process.pid}`);
  await mkdir(work, { recursive: true });
  try {
    await apt('update', '-qq');
    await execute('apt-get', ['download', '-qq', debian], { cwd: work });
    const [archive = ''] = await readdir(work);
    await execute('dpkg-deb', ['--extract', join(work, archive), join(work, 'content')]);
    await rename(join(work, 'content'), target);
    return join(target, file);
  } catch (error) {
    throw new Error(`${name} is missing and could not be unpacked from Debian's package ${debian}`, { cause: error });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function aptInstall(name: string, debian: string): Promise<string> {
  try {
    await apt('update', '-qq');
    await apt('install', '-y', '-qq', '--no-install-recommends', debian);
  } catch (error) {
    throw new Error(`${name} is missing and could not be installed: apt-get install ${debian}`, { cause: error });
  }
  const found = await inPath(name);
  if (!found) throw new Error(`${debian} was installed, but brought no program ${name}`);
  return found;
}

async function apt(...args: string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await execute('apt-get', args, { env, maxBuffer: 64 << 20 });
}

async function inPath(name: string): Promise<string | undefined> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
