import { decode } from '../mqtt/decode.js';
import type { ClientPacket } from '../mqtt/packets.js';
import { REASON, refusal } from '../mqtt/reason-codes.js';
import type { Effect } from './effects.js';
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

/** One whole packet, with its fixed header. */
export function onPacket(state: ConnectionState, bytes: Uint8Array, now: number, effects: Effect[]): void {
  // One before it in the same bytes may have ended the connection.
  if (state.phase !== 'awaiting-connect' && state.phase !== 'connected') return;
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
