import type { RegistrySpec } from '#operator/api/registry.ts';

/** The reference to run: what the Registry names, the rest from `fallback`, `repository[:tag][@digest]`. */
export function imageReference(image: RegistrySpec['image'], fallback: string): string {
  const parts = splitReference(fallback);
  const repository = image.repository ?? parts.repository;
  if (image.digest !== undefined) return `${repository}@${image.digest}`;
  if (image.tag !== undefined) return `${repository}:${image.tag}`;
  return image.repository === undefined ? fallback : `${repository}${parts.tag && `:${parts.tag}`}`;
}

function splitReference(reference: string): { repository: string; tag: string } {
  const [name = ''] = reference.split('@');
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  return colon < 0 ? { repository: name, tag: '' } : { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}
