/**
 * The text of hosts.toml, and the marker in its first line by which we know our own files again: who asked for it,
 * whether the directory was there before us, and the SHA-256 of all that follows.
 */
import { createHash } from 'node:crypto';
import type { MirrorOwner } from '#shared/node-mirrors.ts';

/** Who made the directory around the file: it is removed with the file only if we did. */
export type DirectoryOrigin = 'created' | 'found';

export interface Marker {
  registry: MirrorOwner;
  directory: DirectoryOrigin;
  /** Hexadecimal SHA-256 of the text after the first line. */
  sha256: string;
}

export interface HostsFile {
  host: string;
  registry: MirrorOwner;
  directory: DirectoryOrigin;
  endpoint: string;
}

const markerPattern =
  /^# registry-operator\.dev owner=([^\s/]+)\/([^\s/]+)\/([^\s/]+) directory=(created|found) sha256=([0-9a-f]{64})$/;

/**
 * `server` stands for the host itself, which containerd asks last, so no `[host]` is needed before it: with one, containerd
 * would ask the same address twice for what we don't have. Source of the format: containerd's docs/hosts.md.
 */
export function renderHostsToml(file: HostsFile): string {
  const { namespace, name, uid } = file.registry;
  const body = [
    `# Pulls of ${comment(file.host)} go to the Registry ${comment(name)} in namespace ${comment(namespace)}.`,
    '# The mirror agent undoes changes made here: change the Registry instead.',
    `server = ${tomlString(file.endpoint)}`,
    'capabilities = ["pull", "resolve"]',
    '',
  ].join('\n');
  const owner = [namespace, name, uid].map((part) => encodeURIComponent(part)).join('/');
  return `# registry-operator.dev owner=${owner} directory=${file.directory} sha256=${sha256(body)}\n${body}`;
}

/** The marker of a file that we wrote, `intact` when nobody changed it since; `undefined` for anybody else's file. */
export function readMarker(text: string): { marker: Marker; intact: boolean } | undefined {
  const end = text.indexOf('\n');
  const match = markerPattern.exec(end === -1 ? text : text.slice(0, end));
  if (!match) return undefined;
  const [, namespace = '', name = '', uid = '', directory, hash = ''] = match;
  const registry = { namespace: decode(namespace), name: decode(name), uid: decode(uid) };
  const marker: Marker = { registry, directory: directory as DirectoryOrigin, sha256: hash };
  return { marker, intact: end !== -1 && sha256(text.slice(end + 1)) === hash };
}

/** Whether a file of ours sends pulls to `endpoint`. */
export function namesEndpoint(text: string, endpoint: string): boolean {
  return text.includes(`\nserver = ${tomlString(endpoint)}\n`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A basic string of TOML 1.0: everything that must not stand there as it is becomes an escape. */
export function tomlString(value: string): string {
  const escaped = value.toWellFormed().replaceAll(/["\\\p{Cc}]/gu, (character) => {
    if (character === '"' || character === '\\') return `\\${character}`;
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}

/** Comments are one line, and control characters are forbidden in them. */
function comment(value: string): string {
  return value.toWellFormed().replaceAll(/[\p{Cc}\u2028\u2029]/gu, '?');
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
