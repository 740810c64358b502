import { decode } from '../mqtt/decode.js';
import type { ClientPacket } from '../mqtt/packets.js';
import { REASON, refusal } from '../mqtt/reason-codes.js';
import { split } from '../mqtt/split.js';
import type { Effect } from './effects.js';
import type { Input } from './inputs.js';
import { onAcknowledgement } from './on-acknowledgement.js';
import { onConnect } from './on-connect.js';
import { onDisconnect } from './on-disconnect.js';
import { onPublish } from './on-publish.js';
import { onPubrel } from './on-pubrel.js';
import { onSubscribe, onUnsubscribe } from './on-subscribe.js';
import { refuse } from './refuse.js';
import type { ConnectionState } from './state.js';

type PacketHandler<T extends ClientPacket['type']> = (
  state: ConnectionState,
  packet: Extract<ClientPacket, { type: T }>,
  now: number,
  effects: Effect[],
) => void;

/** What each packet means to a connection that has its CONNACK; a CONNECT is not decoded any more. */
const PACKETS: { readonly [T in Exclude<ClientPacket['type'], 'connect'>]: PacketHandler<T> } = {
  publish: onPublish,
  puback: onAcknowledgement,
  pubrec: onAcknowledgement,
  pubcomp: onAcknowledgement,
  pubrel: onPubrel,
  subscribe: onSubscribe,
  unsubscribe: onUnsubscribe,
  pingreq: (_state, _packet, _now, effects) => effects.push({ type: 'send', packet: { type: 'pingresp' } }),
  disconnect: onDisconnect,
  auth: (state, _packet, now, effects) =>
    refuse(
      state,
      refusal(REASON.protocolError, 'MQTT-4.12.0-7', 'AUTH without an authentication method'),
      now,
      effects,
    ),
};

export function onBytesReceived(
  state: ConnectionState,
  input: Extract<Input, { type: 'bytes-received' }>,
  now: number,
  effects: Effect[],
): void {
  // The time to CONNECT is measured from the socket's opening, whatever trickles in meanwhile.
  if (state.phase === 'connected') state.lastReceivedAtMs = now;
  const { packets, refusal: malformed } = split(
    state.undecoded,
    input.bytes,
    state.limits.packetMaxBytes,
    state.phase === 'awaiting-connect',
  );
  for (const packet of packets) onPacket(state, packet, now, effects);
  if (malformed && !isClosed(state)) refuse(state, malformed, now, effects);
}

/** Packets that came while the CONNECT was being decided. */
export function releaseHeld(state: ConnectionState, now: number, effects: Effect[]): void {
  const held = state.held;
  state.held = [];
  for (const packet of held) onPacket(state, packet, now, effects);
}

function onPacket(state: ConnectionState, bytes: Uint8Array, now: number, effects: Effect[]): void {
  switch (state.phase) {
    case 'abandoned':
    case 'closed':
      return;
    case 'authenticating':
    case 'claiming':
      // The client need not wait for CONNACK (section 3.1.4); reading is paused, so this holds what was already read.
      state.held.push(bytes);
      return;
    case 'awaiting-connect':
    case 'connected':
  }
  const decoded = decode(bytes, state.phase === 'connected' ? state.level : null);
  if (!decoded.ok) {
    if (state.phase === 'awaiting-connect') state.level = decoded.level;
    refuse(state, decoded.refusal, now, effects);
  } else if (decoded.packet.type === 'connect') {
    onConnect(state, decoded.packet, now, effects);
  } else {
    (PACKETS[decoded.packet.type] as PacketHandler<ClientPacket['type']>)(state, decoded.packet, now, effects);
  }
}

function isClosed(state: ConnectionState): boolean {
  return state.phase === 'closed' || state.phase === 'abandoned';
}
