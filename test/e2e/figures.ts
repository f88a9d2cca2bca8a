/** Figures that users ask for before they install anything; printed, and held below what was promised. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { baseImage } from '#scripts/lib/base-image.ts';
import { findClusterSource } from '#scripts/lib/find-cluster-source.ts';
import { namespace, release } from '#scripts/lib/install.ts';
import type { TestCluster } from '#test/support/cluster.ts';

const mebibyte = 2 ** 20;

export function figures(cluster: () => TestCluster): void {
  it('the image adds less than 60 MiB to its base', async (t) => {
    const { engine } = await findClusterSource(() => {});
    const path = 'jsonpath={.spec.template.spec.containers[0].image}';
    const image = await cluster().kubectl(['get', 'deployment', release, '-n', namespace, '-o', path]);
    const size = async (reference: string) =>
      Number(await engine.run(['image', 'inspect', '--format', '{{.Size}}', reference])) / mebibyte;
    const [whole, base] = [await size(image), await size(await baseImage(engine, () => {}))];
    t.diagnostic(`${(whole - base).toFixed(1)} MiB above a base of ${base.toFixed(0)} MiB`);
    assert.ok(whole - base < 60);
  });

  it('the three programs are small', async (t) => {
    const limits: Record<string, number> = { registry: 160, operator: 160, 'mirror-agent': 100 };
    const list = String.raw`for p in /proc/[0-9]*; do printf '%s %s\n' "$(tr '\0' ' ' < $p/cmdline)" "$(grep VmRSS $p/status)"; done 2> /dev/null | grep '^node /app/main.js'`;
    const lines = (await Promise.all(cluster().nodes.map((node) => cluster().onNode(node, list)))).join('\n');
    for (const [program, limit] of Object.entries(limits)) {
      const found = new RegExp(`main.js ${program} .*?VmRSS:\\s+(\\d+) kB`).exec(lines);
      const resident = Number(found?.[1]) / 1024;
      t.diagnostic(`${program}: ${resident.toFixed(0)} MiB resident`);
      assert.ok(resident < limit, `${program}: ${resident} MiB`);
    }
  });
}
