/** The table of values in the chart's README, from the `# --` comments of values.yaml. */

const begin = '<!-- values: made from values.yaml by npm run generate -->\n';
const end = '<!-- /values -->';

/** The README with its table as values.yaml says. Throws when the README has no place for it. */
export function withValuesTable(readme: string, values: string): string {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the chart's README has no ${begin.trim()} ... ${end}`);
  const rows = valueRows(values).map(({ path, value, help }) => `| \`${path}\` | \`${value}\` | ${help} |`);
  const table = ['| value | default | meaning |', '|---|---|---|', ...rows].join('\n');
  return `${readme.slice(0, from)}${begin}${table}\n${readme.slice(to)}`;
}

interface ValueRow {
  path: string;
  value: string;
  help: string;
}

/** One row for each key below a `# --` comment; a value that goes on below its key is shown on one line. */
export function valueRows(yaml: string): ValueRow[] {
  const rows: ValueRow[] = [];
  const parents: { indent: number; key: string }[] = [];
  let help: string | undefined;
  let open: { row: ValueRow; indent: number } | undefined;
  for (const line of yaml.split('\n')) {
    const comment = /^\s*# -- (.*)$/.exec(line);
    const entry = /^(\s*)([A-Za-z]+):\s*(.*)$/.exec(line);
    if (comment) help = comment[1];
    if (!entry) continue;
    const [, space = '', key = '', value = ''] = entry;
    const indent = space.length;
    if (open && indent > open.indent) {
      open.row.value = open.row.value ? `${open.row.value}, ${key}: ${value}` : `${key}: ${value}`;
      continue;
    }
    open = undefined;
    while ((parents.at(-1)?.indent ?? -1) >= indent) parents.pop();
    parents.push({ indent, key });
    if (help === undefined) continue;
    const row = { path: parents.map((parent) => parent.key).join('.'), value, help: help.replaceAll('|', '\\|') };
    rows.push(row);
    if (value === '') open = { row, indent };
    help = undefined;
  }
  return rows;
}
