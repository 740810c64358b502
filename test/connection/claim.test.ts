import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimPresence } from '../../functions/connection/claim.js';
import type { Claim } from '../../functions/connection/effects.js';
import { SESSION_NEVER_EXPIRES_S } from '../../functions/mqtt/limits.js';
import { fromSnapshot, toSnapshot } from '../../functions/mqtt/snapshot.js';
import type { PresenceRow, WaitingWill } from '../../functions/ports/store.js';

const NOW = 1_000_000;

function claim(change: Partial<Claim> = {}): Claim {
  return { clientId: 'a', cleanStart: false, sessionExpiryS: 60, will: null, ...change };
}

/** A row of connection 70, lost ten seconds ago. */
function left(change: Partial<PresenceRow> = {}): PresenceRow {
  return {
    clientId: 'a',
    connectionNumber: 70,
    generation: 50,
    edge: 'former',
    disconnectedAtMs: NOW - 10_000,
    sessionExpiryS: 60,
    will: null,
    leftWills: [],
    ...change,
  };
}

function waiting(connectionNumber: number, delayS: number): WaitingWill {
  const publication = {
    topic: 'w',
    payload: Buffer.from('gone'),
    qos: 0,
    retain: false,
    publisher: 'a',
    publishedAtMs: 0,
  } as const;
  return { connectionNumber, delayS, publication };
}

function claimAt(previous: PresenceRow | null, change: Partial<Claim> = {}) {
  return claimPresence(previous, claim(change), 'edge', NOW);
}

test('a first connection is numbered by the clock and begins a generation', () => {
  assert.deepEqual(claimAt(null), {
    row: {
      clientId: 'a',
      connectionNumber: NOW,
      generation: NOW,
      edge: 'edge',
      disconnectedAtMs: null,
      sessionExpiryS: 60,
      will: null,
      leftWills: [],
    },
    sessionPresent: false,
  });
});

test('a connection number is higher than the last even when the clock went back', () => {
  const { row } = claimAt(left({ connectionNumber: NOW + 5 }));
  assert.equal(row.connectionNumber, NOW + 6);
});

test('a session that has not expired is resumed in its generation', () => {
  const { row, sessionPresent } = claimAt(left());
  assert.equal(sessionPresent, true);
  assert.equal(row.generation, 50);
  assert.equal(row.connectionNumber, NOW);
  assert.equal(row.disconnectedAtMs, null);
});

test('a session that has expired to the millisecond begins anew', () => {
  assert.equal(claimAt(left({ disconnectedAtMs: NOW - 59_999 })).sessionPresent, true);
  const { row, sessionPresent } = claimAt(left({ disconnectedAtMs: NOW - 60_000 }));
  assert.equal(sessionPresent, false);
  assert.equal(row.generation, row.connectionNumber);
});

test('a session that never expires is resumed after years', () => {
  const previous = left({ disconnectedAtMs: 0, sessionExpiryS: SESSION_NEVER_EXPIRES_S });
  assert.equal(claimPresence(previous, claim(), 'edge', 1e13).sessionPresent, true);
});

test('a clean start begins anew whatever is there [MQTT-3.1.2-4]', () => {
  const { row, sessionPresent } = claimAt(left(), { cleanStart: true });
  assert.equal(sessionPresent, false);
  assert.equal(row.generation, row.connectionNumber);
});

test('a session that is connected is taken over and resumed', () => {
  assert.equal(claimAt(left({ disconnectedAtMs: null })).sessionPresent, true);
});

test('a session that ends with its connection is not resumed by taking it over', () => {
  assert.equal(claimAt(left({ disconnectedAtMs: null, sessionExpiryS: 0 })).sessionPresent, false);
});

test('the expiry and the will are those of the new connection', () => {
  const { connectionNumber: _, ...will } = waiting(0, 5);
  const { row } = claimAt(left(), { sessionExpiryS: 7, will });
  assert.equal(row.sessionExpiryS, 7);
  assert.deepEqual(row.will, waiting(NOW, 5));
});

test('a will that waits for its delay is cancelled by resuming in time [MQTT-3.1.3-9]', () => {
  assert.deepEqual(claimAt(left({ will: waiting(70, 11) })).row.leftWills, []);
});

test('a will whose delay is over is left to be published', () => {
  assert.deepEqual(claimAt(left({ will: waiting(70, 10) })).row.leftWills, [waiting(70, 10)]);
});

test('a will that waits for its delay is left to be published when a clean start ends its session', () => {
  const { row } = claimAt(left({ will: waiting(70, 30) }), { cleanStart: true });
  assert.deepEqual(row.leftWills, [waiting(70, 30)]);
});

test('a will is due with the end of its session, though its delay is longer', () => {
  const { row } = claimAt(left({ sessionExpiryS: 5, will: waiting(70, 30) }));
  assert.deepEqual(row.leftWills, [waiting(70, 30)]);
});

test('taking over publishes a will without delay and cancels one with a delay', () => {
  const at = (delayS: number) => claimAt(left({ disconnectedAtMs: null, will: waiting(70, delayS) }));
  assert.deepEqual(at(0).row.leftWills, [waiting(70, 0)]);
  assert.deepEqual(at(1).row.leftWills, []);
});

test('taking over a session that ends with its connection publishes its will, whatever its delay', () => {
  const previous = left({ disconnectedAtMs: null, sessionExpiryS: 0, will: waiting(70, 30) });
  assert.deepEqual(claimAt(previous).row.leftWills, [waiting(70, 30)]);
});

test('wills that nobody has published yet stay, oldest first', () => {
  const { row } = claimAt(left({ leftWills: [waiting(60, 0)], will: waiting(70, 0) }));
  assert.deepEqual(row.leftWills, [waiting(60, 0), waiting(70, 0)]);
});

test('the row that was found is not changed', () => {
  const previous = left({ leftWills: [waiting(60, 0)], will: waiting(70, 0) });
  const before = fromSnapshot(toSnapshot(previous));
  claimAt(previous, { cleanStart: true });
  assert.deepEqual(previous, before);
});
