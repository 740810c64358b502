import { encode } from '../mqtt/encode.js';
import { LEVELS } from '../mqtt/levels.js';
import { PACKET_ID_MAX } from '../mqtt/limits.js';
import type { Connect, Properties } from '../mqtt/packets.js';
import { REASON, refusal } from '../mqtt/reason-codes.js';
import { resume } from './back-pressure.js';
import type { Effect } from './effects.js';
import type { Input } from './inputs.js';
import { leave, refuse } from './refuse.js';
import type { ConnectionState } from './state.js';

type Claimed = Extract<Input, { type: 'claimed' }>;
type ClaimFailed = Extract<Input, { type: 'claim-failed' }>;

/** The presence row is durable: CONNACK may promise what it says, then the shard hears of the connection. */
export function onClaimed(state: ConnectionState, input: Claimed, now: number, effects: Effect[]): void {
  const connect = take(state, input);
  const { sessionPresent } = input;
  const properties = announced(state, connect);
  const connack = { type: 'connack', sessionPresent, reasonCode: REASON.success, properties } as const;
  if (state.takesMaxBytes !== null && (encode(connack, connect.level)?.length ?? 0) > state.takesMaxBytes) {
    refuse(state, CONNACK_TOO_LARGE, now, effects);
    return giveBack(state, connect, input, now, effects);
  }
  state.phase = 'connected';
  state.lastReceivedAtMs = now;
  state.isResumed = sessionPresent;
  state.keepsInbound = state.limits.mayRepeat === true || sessionPresent || state.sessionExpiryS > 0;
  effects.push({ type: 'send', packet: connack });
  tellConnected(state, connect, input, effects);
  resume(state, effects);
}

/** The socket went before the CONNACK: the row is given back, and nobody was promised a will. */
export function onClaimedTooLate(state: ConnectionState, input: Claimed, now: number, effects: Effect[]): void {
  giveBack(state, take(state, input), input, now, effects);
}

const CONNACK_TOO_LARGE = refusal(
  REASON.packetTooLarge,
  'MQTT-3.1.2-24',
  'CONNACK is larger than the Maximum Packet Size of the client',
);

function giveBack(state: ConnectionState, connect: Connect, input: Claimed, now: number, effects: Effect[]): void {
  tellConnected(state, connect, input, effects);
  leave(state, 'discard', now, effects);
  state.phase = 'closed';
}

function take(state: ConnectionState, input: Claimed): Connect {
  const { connect } = state;
  if (connect === null) throw new Error('claimed without a CONNECT');
  state.connect = null;
  state.connectionNumber = input.connectionNumber;
  state.generation = input.generation;
  return connect;
}

function tellConnected(state: ConnectionState, connect: Connect, input: Claimed, effects: Effect[]): void {
  effects.push({
    type: 'tell-session',
    command: {
      type: 'connected',
      clientId: state.clientId,
      connectionNumber: state.connectionNumber,
      generation: state.generation,
      level: connect.level,
      receiveMaximum: connect.properties?.receiveMaximum ?? PACKET_ID_MAX,
      packetMaxBytes: state.takesMaxBytes,
      wantsReasons: state.wantsReasons,
      topicAliasMaximum: connect.properties?.topicAliasMaximum ?? 0,
      sessionExpiryS: state.sessionExpiryS,
      will: input.will,
      leftWills: input.leftWills,
      ...(state.expiresAtMs !== null && { expiresAtMs: state.expiresAtMs }),
      ...(state.permissions !== null && { maySubscribe: state.permissions.subscribe }),
    },
  });
}

export function onClaimFailed(state: ConnectionState, input: ClaimFailed, now: number, effects: Effect[]): void {
  const why =
    input.code === 'full'
      ? refusal(REASON.quotaExceeded, 'section 3.2.2.2', 'the session store is full')
      : refusal(REASON.serverUnavailable, 'section 3.2.2.2', 'the session store cannot be reached');
  refuse(state, why, now, effects);
}

/** What this server can and cannot do, where it is not what the client may assume (section 3.2.2.3). */
function announced(state: ConnectionState, connect: Connect): Properties {
  const { limits } = state;
  if (!LEVELS[connect.level].properties) return {};
  const keepAliveS = state.keepAliveMs / 1000;
  return {
    ...(state.sessionExpiryS !== (connect.properties?.sessionExpiryInterval ?? 0) && {
      sessionExpiryInterval: state.sessionExpiryS,
    }),
    ...(limits.receiveMaximum < PACKET_ID_MAX && { receiveMaximum: limits.receiveMaximum }),
    maximumPacketSize: limits.packetMaxBytes,
    ...(limits.noShares && { sharedSubscriptionAvailable: 0 }),
    ...(limits.topicAliasMaximum > 0 && { topicAliasMaximum: limits.topicAliasMaximum }),
    ...(connect.clientId === '' && { assignedClientIdentifier: state.clientId }),
    ...(keepAliveS !== connect.keepAlive && { serverKeepAlive: keepAliveS }),
    ...(connect.properties?.requestResponseInformation === 1 && { responseInformation: responsesTo(state.clientId) }),
  };
}

/** What a client may begin its Response Topics with, as no other client does (section 4.10.1). */
function responsesTo(clientId: string): string {
  return `responses/${encodeURIComponent(clientId)}/`;
}
