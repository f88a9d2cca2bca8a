import type { JsonSchema } from '#operator/api/schema.ts';

interface Row {
  path: string;
  type: string;
  value: string;
  description: string;
}

/** A page of Markdown with every field of a resource; `fields` maps the name of a part (`spec`) to its schema. */
export function apiReference(title: string, introduction: string, fields: Record<string, JsonSchema>): string {
  const parts = Object.entries(fields).map(([name, schema]) => {
    const rows = [...walk(name, schema)].slice(1);
    const table = rows.map(
      ({ path, type, value, description }) => `| \`${path}\` | ${type} | ${value} | ${description} |`,
    );
    const head = ['| field | type | default | what it says |', '| --- | --- | --- | --- |'];
    const rules = [...rulesOf(name, schema)];
    return [
      `## ${name}`,
      '',
      ...head,
      ...table,
      ...(rules.length > 0 ? ['', `Rules of ${name}:`, '', ...rules] : []),
      '',
    ].join('\n');
  });
  return [`# ${title}`, '', introduction, '', ...parts].join('\n');
}

/** What lies deeper is Kubernetes' own: affinity, selectors. */
const deepest = 4;

function* walk(path: string, schema: JsonSchema, required = false): Generator<Row> {
  if (path.split('.').length > deepest) return;
  yield { path, type: typeOf(schema), value: valueOf(schema, required), description: descriptionOf(schema) };
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    yield* walk(`${path}.${name}`, field, schema.required?.includes(name) ?? false);
  }
  // What an element is, is said where the list is; its own fields follow.
  if (schema.items?.properties) yield* [...walk(`${path}[]`, schema.items)].slice(1);
}

function typeOf(schema: JsonSchema): string {
  if (schema['x-kubernetes-int-or-string']) return 'quantity';
  if (schema.type === 'array' && schema.items) return `list of ${typeOf(schema.items)}`;
  if (schema.additionalProperties) return `map of ${typeOf(schema.additionalProperties)}`;
  if (schema.enum) return schema.enum.join(', ');
  return schema.type ?? '';
}

function valueOf(schema: JsonSchema, required: boolean): string {
  if (required) return 'required';
  const { default: value } = schema;
  if (value === undefined || (typeof value === 'object' && Object.keys(value as object).length === 0)) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function descriptionOf({ description = '' }: JsonSchema): string {
  return description.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function* rulesOf(path: string, schema: JsonSchema): Generator<string> {
  for (const { message } of schema['x-kubernetes-validations'] ?? []) yield `- \`${path}\`: ${message}.`;
  for (const [name, field] of Object.entries(schema.properties ?? {})) yield* rulesOf(`${path}.${name}`, field);
  if (schema.items) yield* rulesOf(`${path}[]`, schema.items);
}
