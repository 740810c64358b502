import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { bringUp } from '../../functions/handlers/bring-up.js';
import { PortError } from '../../functions/ports/errors.js';

const UNREACHABLE = new PortError('unavailable', 'nobody is there');

test('what does not answer is tried again with growing pauses, and clients may come after the first', async () => {
  const stage = new Stage({ prepare: [UNREACHABLE, UNREACHABLE, UNREACHABLE, 'done'] });
  await turn();
  assert.deepEqual([stage.isTried, stage.up.problem()], [true, 'nobody is there']);
  for (const ms of [500, 1_000, 2_000]) {
    assert.notEqual(stage.up.problem(), null);
    assert.equal(stage.nextMs, ms);
    await stage.pass();
  }
  assert.equal(stage.up.problem(), null);
});

test('without an answer for 5 s clients may come, and are told', async () => {
  const stage = new Stage({ prepare: ['never'] });
  await turn();
  assert.deepEqual([stage.isTried, stage.nextMs], [false, 5_000]);
  await stage.pass();
  assert.deepEqual([stage.isTried, stage.up.problem()], [true, 'starting']);
});

test('while sessions are loaded nobody is let in to be turned away', async () => {
  const stage = new Stage({ prepare: ['done'], start: 'slow' });
  await turn();
  assert.deepEqual([stage.isTried, stage.nextMs], [false, null]);
  stage.started();
  await turn();
  assert.deepEqual([stage.isTried, stage.up.problem()], [true, null]);
});

test('what waiting cannot mend ends it', async () => {
  const stage = new Stage({ prepare: [new PortError('refused', 'no such table')] });
  await assert.rejects(stage.up.tried, { code: 'refused' });
  assert.match(String(await stage.up.failed), /no such table/);
});

test('later it says what fails, and when that answers again', async () => {
  const stage = new Stage({ prepare: ['done'], check: [UNREACHABLE, 'done'] });
  await turn();
  assert.equal(stage.nextMs, 5_000);
  await stage.pass();
  assert.equal(stage.up.problem(), 'nobody is there');
  await stage.pass();
  assert.equal(stage.up.problem(), null);
  assert.deepEqual(stage.said, ['not-ready', 'ready-again']);
});

test('stopping waits for nobody who does not answer', async () => {
  const stage = new Stage({ prepare: ['never'] });
  await turn();
  stage.up.stop();
  await stage.up.stopped;
  assert.equal(stage.up.problem(), 'stopping');
});

type Outcome = 'done' | 'never' | Error;

/** A log and a store that answer as they are told, and a clock that goes on when it is told. */
class Stage {
  readonly said: string[] = [];
  readonly up: ReturnType<typeof bringUp>;
  isTried = false;
  started: () => void = () => {};
  readonly #timers = new Set<{ ms: number; run: () => void }>();

  constructor({ prepare, check = [], start }: { prepare: Outcome[]; check?: Outcome[]; start?: 'slow' }) {
    const slow = new Promise<void>((resolve) => {
      this.started = resolve;
    });
    this.up = bringUp({
      clock: { now: () => 0, unique: () => '', after: (ms, run) => this.#after(ms, run) },
      telemetry: { log: (_level, event) => void this.said.push(event), count: () => {} },
      backing: { prepare: () => outcome(prepare.shift()), check: () => outcome(check.shift()) },
      startWorker: () => (start === 'slow' ? slow : Promise.resolve()),
    });
    this.up.tried.then(
      () => {
        this.isTried = true;
      },
      () => {},
    );
  }

  /** Until the next timer is due; null: there is none. */
  get nextMs(): number | null {
    return this.#next?.ms ?? null;
  }

  async pass(): Promise<void> {
    const timer = this.#next;
    if (timer === undefined) return;
    this.#timers.delete(timer);
    timer.run();
    await turn();
  }

  get #next(): { ms: number; run: () => void } | undefined {
    return [...this.#timers].sort((a, b) => a.ms - b.ms)[0];
  }

  #after(ms: number, run: () => void): () => void {
    const timer = { ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
}

function outcome(of: Outcome | undefined): Promise<void> {
  if (of === 'never') return new Promise(() => {});
  return of instanceof Error ? Promise.reject(of) : Promise.resolve();
}
