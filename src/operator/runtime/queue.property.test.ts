import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type FakeClock, fakeClock } from '#test/support/fake-clock.ts';
import { Queue } from './queue.ts';
import type { Request } from './reconciler.ts';

/** What one could do to a queue, in any order. */
type Step =
  | { do: 'add' | 'forget' | 'fail' | 'later'; name: string; ms: number }
  | { do: 'take' | 'finish' }
  | { do: 'wait'; ms: number };

const name = fc.constantFrom('a', 'b', 'c');
const ms = fc.integer({ min: 0, max: 2000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('add', 'forget', 'fail', 'later'), name, ms }),
  fc.record({ do: fc.constantFrom('take', 'finish') }),
  fc.record({ do: fc.constant('wait'), ms }),
);

/** The queue, and what we know of it from outside. */
class Model {
  readonly clock: FakeClock = fakeClock();
  readonly queue = new Queue({ clock: this.clock });
  readonly working: Request[] = [];
  /** Asked for since a worker last took it. */
  readonly owed = new Set<string>();

  async run(step: Step): Promise<void> {
    if ('name' in step) {
      const request = { namespace: 'team', name: step.name };
      if (step.do === 'forget') return this.queue.forget(request);
      this.owed.add(step.name);
      if (step.do === 'add') this.queue.add(request);
      else if (step.do === 'fail') this.queue.addRateLimited(request);
      else this.queue.addAfter(request, step.ms);
    } else if (step.do === 'wait') await this.clock.advance(step.ms);
    else if (step.do === 'take') await this.take();
    else this.finish();
  }

  async take(): Promise<void> {
    if (this.queue.depth === 0) return;
    const request = await this.queue.take();
    assert.ok(request);
    assert.ok(!this.working.some((other) => other.name === request.name), `${request.name} is with two workers`);
    this.owed.delete(request.name);
    this.working.push(request);
  }

  finish(): void {
    const request = this.working.shift();
    if (request) this.queue.done(request);
  }

  /** Whoever works finishes, all pauses pass, and workers take what there is. */
  async settle(): Promise<void> {
    await this.clock.advance(600_000);
    while (this.working.length > 0 || this.queue.depth > 0) {
      this.finish();
      await this.take();
    }
  }
}

test('whatever happens: one worker per name, nothing that was asked for is lost, nothing stays behind', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const model = new Model();
      for (const one of steps) await model.run(one);
      await model.settle();
      assert.deepEqual([...model.owed], []);
      assert.equal(model.clock.pending, 0);
      assert.deepEqual(model.queue.unfinished, []);
    }),
    { numRuns: 200 },
  );
});
