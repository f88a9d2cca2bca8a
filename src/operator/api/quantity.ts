/** Kubernetes quantities. Source: apimachinery's resource.Quantity. */

const scales: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a quantity stands for (`10Gi`, `500m`, `1e3`, `7`); NaN when it is none. */
export function parseQuantity(text: string | number): number {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([KMGTPE]i|[numkMGTPE]))?$/.exec(String(text));
  if (!match) return Number.NaN;
  const [, number = '', exponent = '0', suffix = ''] = match;
  return Number(number) * 10 ** Number(exponent) * (scales[suffix] ?? Number.NaN);
}

/** Bytes as people read them, in three digits: `0`, `17Ki`, `9.54Gi`. Coarse on purpose: a status that hardly moves. */
export function formatBytes(bytes: number, digits = 3): string {
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`;
}
