import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pinoTelemetry } from '../../../functions/adapters/telemetry/pino.js';
import { forTerminal } from '../../../functions/adapters/telemetry/pino-terminal.js';

function telemetryTo(isTTY: boolean, level: 'debug' | 'info' = 'info') {
  const lines: string[] = [];
  return { lines, telemetry: pinoTelemetry(level, { isTTY, write: (text) => lines.push(text) }, forTerminal) };
}

test('off a terminal a line is JSON with time, level, event and fields', () => {
  const { lines, telemetry } = telemetryTo(false);
  telemetry.log('warn', 'claim-failed', { client: 'c', attempts: 2, clause: undefined });
  const { time, ...rest } = JSON.parse(lines[0] ?? '');
  assert.deepEqual(rest, { level: 'warn', event: 'claim-failed', client: 'c', attempts: 2 });
  assert.ok(Math.abs(Date.now() - Date.parse(time)) < 60_000);
});

test('a field cannot pass itself off as time, level or event', () => {
  const { lines, telemetry } = telemetryTo(false);
  telemetry.log('info', 'real', { event: 'forged', level: 'error', time: 'never' });
  const line = JSON.parse(lines[0] ?? '');
  assert.deepEqual([line.event, line.level, line.time === 'never'], ['real', 'info', false]);
});

for (const isTTY of [false, true]) {
  test(`no value of a client begins a line of its own (terminal: ${isTTY})`, () => {
    const { lines, telemetry } = telemetryTo(isTTY);
    telemetry.log('info', 'connection-refused', { client: 'a\n12:00 error forged\r\n' });
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /^[^\r\n]*\n$/);
  });
}

test('on a terminal a line has time of day, level, event and fields, and nothing that moves the cursor', () => {
  const { lines, telemetry } = telemetryTo(true);
  telemetry.log('info', 'refused', { client: 'a\u001b[2J\u009b2J\u202e', clause: undefined, error: 'x' });
  const [line = ''] = lines;
  assert.match(line, /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: refused /);
  assert.ok(line.endsWith(' {"client":"a\\u001b[2J\\u009b2J\\u202e","error":"x"}\n'), line);
});

test('what is below the level is not written', () => {
  const { lines, telemetry } = telemetryTo(false);
  telemetry.log('debug', 'detail');
  assert.equal(lines.length, 0);
  const chatty = telemetryTo(false, 'debug');
  chatty.telemetry.log('debug', 'detail');
  assert.equal(chatty.lines.length, 1);
});

test('counters add up, and a snapshot does not change afterwards', () => {
  const { telemetry } = telemetryTo(false);
  telemetry.count('publications-refused');
  telemetry.count('publications-refused', 4);
  const before = telemetry.snapshot();
  telemetry.count('publications-refused');
  assert.deepEqual(before, { 'publications-refused': 5 });
});
