import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../functions/adapters/system/clock.js';
import { PortError, type PortErrorCode } from '../../functions/ports/errors.js';
import { silent } from '../../functions/ports/telemetry.js';
import { Works } from '../../functions/runtime/works.js';

/** What fails twice, then succeeds. */
async function triesOf(code: PortErrorCode): Promise<{ tries: number; logged: unknown[] }> {
  const logged: unknown[] = [];
  const telemetry = { ...silent, log: (_level: string, event: string) => void logged.push(event) };
  // Its timers keep the test.
  const clock = { ...systemClock, after: (ms: number, run: () => void) => clearTimer(setTimeout(run, ms / 50)) };
  let tries = 0;
  await new Works({ clock, telemetry }).begin('it', async () => {
    tries += 1;
    if (tries <= 2) throw new PortError(code, 'no');
  });
  return { tries, logged };
}

const clearTimer = (timer: NodeJS.Timeout) => () => clearTimeout(timer);

for (const code of ['unavailable', 'full', 'refused'] as const) {
  test(`an effect that is ${code} for a while has its outcome after it`, async () => {
    assert.deepEqual(await triesOf(code), { tries: 3, logged: [] });
  });
}

for (const code of ['conflict', 'gone', 'too-large'] as const) {
  test(`an effect that fails with ${code} is not repeated, and is said`, async () => {
    assert.deepEqual(await triesOf(code), { tries: 1, logged: ['effect-failed'] });
  });
}
