/**
 * Describes a field of a custom resource once: its type, default, description and rules. The JSON schema of the CRD and
 * the TypeScript type are both read off the same value, so they cannot drift apart.
 */

/** The part of OpenAPI v3 that a structural schema of apiextensions.k8s.io/v1 may use, and that we do. */
export interface JsonSchema {
  description?: string;
  type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  format?: 'int32' | 'int64' | 'date-time';
  default?: unknown;
  enum?: readonly string[];
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema;
  required?: string[];
  anyOf?: JsonSchema[];
  'x-kubernetes-int-or-string'?: true;
  'x-kubernetes-list-type'?: 'set' | 'map' | 'atomic';
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-map-type'?: 'atomic';
  'x-kubernetes-validations'?: Rule[];
}

/** A CEL rule: what must hold, and the sentence that says what to change when it does not. */
export interface Rule {
  rule: string;
  message: string;
  /** Where the message points, relative to the field of the rule, such as `.nodePort`. */
  fieldPath?: string;
}

/** Whether a stored object always has the field. */
type Presence = 'optional' | 'required' | 'defaulted';

declare const valueType: unique symbol;

export interface Schema<T, P extends Presence = Presence> {
  readonly json: JsonSchema;
  readonly presence: P;
  /** Exists for the compiler only. */
  readonly [valueType]?: T;
}

/** The TypeScript type of what the API server stores under a schema, defaults filled in. */
export type TypeOf<S> = S extends Schema<infer T> ? T : never;

type Fields = Record<string, Schema<unknown>>;
type Flat<T> = { [K in keyof T]: T[K] };
type ObjectOf<F extends Fields> = Flat<
  { [K in keyof F as F[K]['presence'] extends 'optional' ? never : K]: TypeOf<F[K]> } & {
    [K in keyof F as F[K]['presence'] extends 'optional' ? K : never]?: TypeOf<F[K]>;
  }
>;

type Limits<K extends keyof JsonSchema> = Pick<JsonSchema, K>;

const optional = <T>(json: JsonSchema): Schema<T, 'optional'> => ({ json, presence: 'optional' });

export function required<T>(schema: Schema<T, 'optional'>): Schema<T, 'required'> {
  return { json: schema.json, presence: 'required' };
}

/** The API server fills the value in, so that `kubectl get -o yaml` shows what is in force. */
export function defaulted<T>(schema: Schema<T, 'optional'>, value: unknown): Schema<T, 'defaulted'> {
  return { json: { ...schema.json, default: value }, presence: 'defaulted' };
}

export function withRules<T, P extends Presence>(schema: Schema<T, P>, ...rules: Rule[]): Schema<T, P> {
  const all = [...(schema.json['x-kubernetes-validations'] ?? []), ...rules];
  return { ...schema, json: { ...schema.json, 'x-kubernetes-validations': all } };
}

/** Without a `maxLength`, CEL rules on a string cost more than the API server allows. */
export function string(
  description: string,
  limits: Limits<'maxLength'> & Partial<Limits<'minLength' | 'pattern' | 'format'>>,
): Schema<string, 'optional'> {
  return optional({ description, type: 'string', ...limits });
}

/** A choice by name: unlike a boolean it can grow, and it can be read without its field's name. */
export function choice<const T extends string>(description: string, ...values: T[]): Schema<T, 'optional'> {
  return optional({ description, type: 'string', enum: values });
}

export function integer(
  description: string,
  limits: Limits<'minimum'> & Partial<Limits<'maximum'>> & { format?: 'int32' | 'int64' },
): Schema<number, 'optional'> {
  return optional({ description, type: 'integer', format: 'int32', ...limits });
}

/** A number of bytes or CPUs as in a Pod's resources: `500m`, `1`, `10Gi`. */
export function quantity(description: string): Schema<string | number, 'optional'> {
  return optional({
    description,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    maxLength: 32,
    pattern: quantityPattern,
    'x-kubernetes-int-or-string': true,
  });
}

/** Source: apimachinery's resource.Quantity, as controller-gen writes it. */
export const quantityPattern =
  '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$';

export function list<T>(
  description: string,
  items: Schema<T>,
  limits: Limits<'maxItems'> & Partial<Limits<'minItems' | 'x-kubernetes-list-type' | 'x-kubernetes-list-map-keys'>>,
): Schema<T[], 'optional'> {
  return optional({ description, type: 'array', items: items.json, ...limits });
}

export function map<T>(
  description: string,
  values: Schema<T>,
  limits: Limits<'maxProperties'>,
): Schema<Record<string, T>, 'optional'> {
  return optional({ description, type: 'object', additionalProperties: values.json, ...limits });
}

export function object<F extends Fields>(
  description: string,
  fields: F,
  extra: Partial<Limits<'x-kubernetes-map-type'>> = {},
): Schema<ObjectOf<F>, 'optional'> {
  const names = Object.keys(fields).filter((name) => fields[name]?.presence === 'required');
  return optional({
    description,
    type: 'object',
    properties: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.json])),
    ...(names.length > 0 && { required: names }),
    ...extra,
  });
}
