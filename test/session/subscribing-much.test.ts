import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialSession } from '../../functions/session/state.js';
import { stepSession } from '../../functions/session/step.js';
import { SESSION_LIMITS } from './harness.js';

const COUNT = 8_000;
const CONNECTION = {
  clientId: 'a',
  connectionNumber: 1,
  generation: 1,
  level: 5,
  receiveMaximum: 10,
  packetMaxBytes: null,
  wantsReasons: true,
  topicAliasMaximum: 0,
  sessionExpiryS: 0,
  will: null,
  leftWills: [],
} as const;

/** Milliseconds that as many SUBSCRIBEs in a row take, and the filters whose retained messages are to come. */
function subscribing(retainHandling: 0 | 2): { ms: number; due: number } {
  const limits = { ...SESSION_LIMITS, subscriptionsMax: COUNT, subscriptionsMaxBytes: 1_000_000 };
  const state = initialSession({ clientId: 'a', generation: 1, limits });
  stepSession(state, { type: 'connected', ...CONNECTION }, 0);
  const beganAtMs = performance.now();
  for (let i = 0; i < COUNT; i += 1) {
    const subscription = {
      filter: `a/${i}`,
      qos: 1,
      noLocal: false,
      retainAsPublished: false,
      retainHandling,
    } as const;
    const asked = { clientId: 'a', connectionNumber: 1, packetId: 1, subscriptions: [subscription] };
    stepSession(state, { type: 'subscribe', ...asked, identifier: null, from: null, read: [{ handedOut: {} }] }, 0);
  }
  return { ms: performance.now() - beganAtMs, due: state.retainedDue.length };
}

test('thousands of SUBSCRIBEs in a row do not each go through all the retained messages that are promised', () => {
  const without = subscribing(2);
  const { ms, due } = subscribing(0);
  assert.equal(due, COUNT);
  assert.ok(ms < without.ms * 20 + 500, `${ms} ms, and ${without.ms} ms where none are`);
});
