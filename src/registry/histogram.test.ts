import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram, Registry } from 'prom-client';
import { createHistogram } from './histogram.ts';

test('its text is that of the histogram of prom-client', async () => {
  const [own, theirs] = [new Registry(), new Registry()];
  const options = { name: 'h', help: 'Sizes', labelNames: ['handler', 'method'], buckets: [0.5, 1, 10] };
  const observe = createHistogram({ ...options, register: own });
  const model = new Histogram({ ...options, registers: [theirs] });
  assert.equal(await own.metrics(), await theirs.metrics());
  for (const value of [0, 0.5, 0.7, 1, 2, 10, 10.1, 1e9]) {
    for (const labels of [
      ['blob', 'get'],
      ['blob', 'put'],
      ['tags', 'get'],
    ] as const) {
      observe(value, ...labels);
      model.observe({ handler: labels[0], method: labels[1] }, value);
    }
  }
  assert.equal(await own.metrics(), await theirs.metrics());
});
