/** Which client did what, as the table of the README. */
export interface ClientTable {
  /** `operation` worked with this client. */
  worked(client: string, operation: string): void;
  /** Markdown; an empty cell stands for an operation that the client has no command for, or that did not work. */
  toString(): string;
}

const columns: Record<string, string> = {
  push: 'push',
  pull: 'pull',
  pushIndex: 'push multi-arch',
  pullIndex: 'pull multi-arch',
  tags: 'list tags',
  repositories: 'list repositories',
  copy: 'copy',
  remove: 'delete',
  attach: 'attach',
  discover: 'discover',
  sign: 'sign',
  verify: 'verify',
};

export function clientTable(): ClientTable {
  const rows = new Map<string, Set<string>>();
  const row = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return {
    worked(client, operation) {
      rows.set(client, (rows.get(client) ?? new Set()).add(operation));
    },
    toString() {
      const names = Object.keys(columns);
      return [
        row(['client', ...Object.values(columns)]),
        row(Array.from({ length: names.length + 1 }, () => '---')),
        ...[...rows].map(([client, done]) => row([client, ...names.map((name) => (done.has(name) ? '✓' : ''))])),
      ].join('\n');
    },
  };
}
