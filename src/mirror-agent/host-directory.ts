/**
 * Which directory of certs.d belongs to which host. containerd takes the first that exists of `h_p_`, `h:p` and
 * `_default`, whatever is in it. Source: hostPaths in containerd's core/remotes/docker/config/config_unix.go.
 */

/** The domain part of the reference grammar, with the port; nothing that leaves a folder passes. */
const hostPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/;

/** The longest host name; a file name may have two characters more. */
const maxLength = 253;

/** The directory that we write for `host[:port]`; `undefined` when that is no host name. */
export function hostDirectory(host: string): string | undefined {
  return host.length <= maxLength && hostPattern.test(host) ? host : undefined;
}

/** The directory that containerd prefers to ours, whoever made it; `undefined` when there is none such. */
export function shadowingDirectory(host: string): string | undefined {
  const colon = host.lastIndexOf(':');
  return colon > 0 ? `${host.slice(0, colon)}_${host.slice(colon + 1)}_` : undefined;
}
