import { type Split, split } from '../mqtt/split.js';
import { resume } from './back-pressure.js';
import type { Effect } from './effects.js';
import { onPacket } from './on-packet.js';
import { refuse } from './refuse.js';
import { type ConnectionState, isOver } from './state.js';

/** Packets taken in one turn: one client's burst must not keep the others waiting. */
const PACKETS_A_TURN = 2_000;

/** Takes packets out of what has come, as far as the connection may go on. Called after every input. */
export function readOn(state: ConnectionState, now: number, effects: Effect[]): void {
  let left = PACKETS_A_TURN;
  while (state.unread.length > 0 && mayRead(state)) {
    if (left === 0) {
      state.yielding = true;
      effects.push({ type: 'pause-reading' }, { type: 'yield' });
      return;
    }
    const { packets, rest, refusal } = takePackets(state, Math.min(left, room(state)));
    left -= packets.length;
    if (rest.length > 0) state.unread.unshift(rest);
    if (packets.length > 0 && state.phase === 'connected') state.lastReceivedAtMs = now;
    for (const packet of packets) onPacket(state, packet, now, effects);
    if (refusal && !isOver(state)) refuse(state, refusal, now, effects);
  }
  if (isOver(state)) state.unread = [];
}

/** The turn that was left to others is over. */
export function onYielded(state: ConnectionState, _input: { type: 'yielded' }, now: number, effects: Effect[]): void {
  state.yielding = false;
  readOn(state, now, effects);
  resume(state, effects);
}

function mayRead(state: ConnectionState): boolean {
  return state.phase === 'awaiting-connect' || (state.phase === 'connected' && !state.paused && !state.yielding);
}

/** As many as may be taken before the log is asked to keep up; what comes behind a CONNECT waits for its CONNACK. */
function room({ phase, limits, appends }: ConnectionState): number {
  return phase === 'connected' ? Math.max(1, limits.appendsMax - appends) : 1;
}

function takePackets(state: ConnectionState, packetsMax: number): Split {
  const chunk = state.unread.shift() as Uint8Array;
  return split(state.undecoded, chunk, state.limits.packetMaxBytes, state.phase === 'awaiting-connect', packetsMax);
}
