/** A name that was cut out of a URL keeps the whole URL in memory as long as it lives; its copy does not. */
export function ownCopy(name: string): string {
  return Buffer.from(name, 'latin1').toString('latin1');
}
