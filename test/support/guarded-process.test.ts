import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { GUARD, startGuarded } from './guarded-process.js';
import { within } from './waiting.js';

/** Says its process id, then stays. */
const STAYS = ['-e', 'console.log(process.pid); setInterval(() => {}, 1_000)'];

test('a guarded program ends when the process that started it is killed', async () => {
  const start = `const { spawn } = require('node:child_process');
    spawn(process.execPath, ${JSON.stringify(['-e', GUARD, '--', '60000', process.execPath, ...STAYS])}, { stdio: ['pipe', 'inherit', 'inherit'] });`;
  const starter = spawn(process.execPath, ['-e', start], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await within('a process id', once(starter.stdout, 'data'))) as [Buffer];
  const pid = Number(String(said));
  assert.ok(isThere(pid));
  // What the program has of the starter's output closes with the last that holds it.
  const closed = once(starter.stdout, 'close');
  starter.stdout.resume();
  starter.kill('SIGKILL');
  await within('the end of the program', closed);
  assert.ok(!isThere(pid));
});

test('a guarded program ends after its time', async () => {
  const guarded = startGuarded(process.execPath, STAYS, 300);
  await assert.rejects(within('its end', guarded.ended), /ended: \d+/);
  assert.ok(!isThere(Number(guarded.printed())));
});

test('a guarded program that cannot be started says why', async () => {
  await assert.rejects(startGuarded('no-such-program', []).ended, /ENOENT/);
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
