import { REASON } from '../mqtt/reason-codes.js';
import type { Acknowledged } from '../ports/session-commands.js';
import { drain } from './backlog.js';
import type { InFlight } from './delivery.js';
import type { SessionEffect } from './effects.js';
import { finish } from './finish.js';
import { inFlightRow } from './set-aside.js';
import { isDurable, type SessionState } from './state.js';

/** The client answered a publication: PUBACK ends QoS 1, PUBREC and PUBCOMP are the two steps of QoS 2. */
export function onAcknowledged(state: SessionState, input: Acknowledged, now: number, effects: SessionEffect[]): void {
  const entry = state.inFlight[input.packetId];
  switch (input.answer) {
    case 'puback':
      if (entry?.qos === 1 && entry.phase === 'sent') finish(state, entry, effects);
      break;
    case 'pubrec':
      onPubrec(state, entry, input, effects);
      break;
    case 'pubcomp':
      if (entry?.phase === 'released') finish(state, entry, effects);
      break;
    case 'pubrel':
      break;
  }
  drain(state, now, effects);
}

function onPubrec(
  state: SessionState,
  entry: InFlight | undefined,
  input: Acknowledged,
  effects: SessionEffect[],
): void {
  const { packetId } = input;
  if (entry?.qos !== 2) {
    // A PUBREC that refuses ends the exchange by itself [MQTT-4.3.3-4].
    if (input.reasonCode >= REASON.unspecifiedError) return;
    effects.push({ type: 'send', packet: { type: 'pubrel', packetId, reasonCode: REASON.packetIdentifierNotFound } });
  } else if (input.reasonCode >= REASON.unspecifiedError) {
    // The receiver refused: the exchange ends here [MQTT-4.3.3-4].
    if (entry.phase === 'sent') finish(state, entry, effects);
  } else if (entry.phase === 'released') {
    effects.push({ type: 'send', packet: { type: 'pubrel', packetId, reasonCode: REASON.success } });
  } else if (entry.phase === 'sent') {
    state.inFlightBytes -= entry.bytes;
    entry.bytes = 0;
    entry.publication = null;
    state.toRelease.push(packetId);
    entry.phase = 'releasable';
    if (isDurable(state)) {
      entry.phase = 'releasing';
      state.stored.writing += 1;
      effects.push({ type: 'store-outbound', rows: [inFlightRow(entry)], settles: false });
    }
    sendReleasable(state, effects);
  }
}

/** PUBRELs go out in the order of the PUBRECs [MQTT-4.6.0-4]. */
export function sendReleasable(state: SessionState, effects: SessionEffect[]): void {
  for (;;) {
    const entry = state.inFlight[state.toRelease[0] ?? 0];
    if (entry?.phase !== 'releasable') return;
    state.toRelease.shift();
    entry.phase = 'released';
    effects.push({ type: 'send', packet: { type: 'pubrel', packetId: entry.packetId, reasonCode: REASON.success } });
  }
}
