import { group, version } from './names.ts';
import type { JsonSchema, Rule, Schema } from './schema.ts';

interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'date';
  jsonPath: string;
  description?: string;
  /** 1: shown by `-o wide` only. */
  priority?: 1;
}

interface CustomResource {
  kind: string;
  plural: string;
  singular: string;
  shortNames: string[];
  categories: string[];
  scope: 'Namespaced' | 'Cluster';
  description: string;
  spec?: Schema<unknown>;
  status: Schema<unknown>;
  rules?: Rule[];
  scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath: string };
  columns: PrinterColumn[];
}

/** The CustomResourceDefinition of one kind with one version, apiextensions.k8s.io/v1. */
export function customResourceDefinition(resource: CustomResource): object {
  const { kind, plural, singular, shortNames, categories, scope } = resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: rootSchema(resource) },
          subresources: { status: {}, ...(resource.scale && { scale: resource.scale }) },
          additionalPrinterColumns: resource.columns,
        },
      ],
    },
  };
}

function rootSchema({ description, spec, status, rules }: CustomResource): JsonSchema {
  return {
    description,
    type: 'object',
    ...(spec && { required: ['spec'] }),
    properties: {
      apiVersion: { type: 'string', description: 'Version of the API, such as registry-operator.dev/v1alpha1.' },
      kind: { type: 'string', description: 'Kind of the object.' },
      metadata: { type: 'object' },
      ...(spec && { spec: spec.json }),
      status: status.json,
    },
    ...(rules && { 'x-kubernetes-validations': rules }),
  };
}
