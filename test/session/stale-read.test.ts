import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionInput } from '../../functions/session/inputs.js';
import { initialSession, type SessionState } from '../../functions/session/state.js';
import { stepSession } from '../../functions/session/step.js';
import { Words } from '../support/words.js';
import { readCommand, readPublication } from './commands.js';
import { SESSION_LIMITS } from './harness.js';

const CLIENT = { clientId: 'a', connectionNumber: 1 };

test('QoS 2 that is answered while the store is being read is not sent again by what that had seen', () => {
  const limits = { ...SESSION_LIMITS, waitingMaxMessages: 0 };
  const state = initialSession({ clientId: 'a', generation: 1, limits });
  const feed = (input: SessionInput) => stepSession(state, input, 1_000);
  const tell = (text: string) => {
    const words = new Words(text);
    return feed(readCommand(words.next(), words, CLIENT, 1_000) as SessionInput);
  };
  tell('connected number=1 v5 expiry=60 receive-maximum=2');
  publish(state, 1);
  const row = publish(state, 2);
  publish(state, 3);
  answer(1);
  assert.ok(state.stored.reading);
  answer(2);
  const effects = feed({ type: 'outbound-read', rows: [row], end: true });
  assert.deepEqual(
    effects.filter(({ type }) => type === 'send-publish'),
    [],
  );

  /** The whole exchange of one packet identifier. */
  function answer(packetId: number): void {
    for (const text of [`pubrec ${packetId}`, `pubcomp ${packetId}`]) {
      for (const effect of tell(text)) {
        if (effect.type === 'store-outbound') feed({ type: 'outbound-stored', rows: effect.rows });
        if (effect.type === 'finish-outbound') feed({ type: 'outbound-finished', packetId });
      }
    }
  }
});

/** Hands a publication of QoS 2 to the session, stores what it wants stored, and returns that row. */
function publish(state: SessionState, number: number) {
  const publication = readPublication(new Words(`x "${number}" qos2`), 1_000);
  const place = { source: 'p', position: `${number}` };
  const delivery = { ...place, publication, qos: 2, retain: false, held: true } as const;
  const stored = stepSession(state, { type: 'published', delivery }, 1_000).flatMap((effect) =>
    effect.type === 'store-outbound' ? effect.rows : [],
  );
  stepSession(state, { type: 'outbound-stored', rows: stored }, 1_000);
  return stored[0]!;
}
