import assert from 'node:assert/strict';
import type { Effect } from '../../functions/connection/effects.js';
import { type ConnectionState, initialConnection } from '../../functions/connection/state.js';
import { step } from '../../functions/connection/step.js';
import { encode } from '../../functions/mqtt/encode.js';
import { fromSnapshot, toSnapshot } from '../../functions/mqtt/snapshot.js';
import { assertAnswer } from './malformed-answers.js';
import type { Case } from './malformed-case.js';
import { CLIENT_ID, LEVELS, type Level, plainConnect } from './malformed-drafts.js';
import { PACKET_MAX_BYTES } from './malformed-headers.js';
import { TOPIC_ALIAS_MAXIMUM } from './malformed-meaning.js';
import { answerTo } from './malformed-standard.js';

const NOW = 1_000;
const LIMITS: ConnectionState['limits'] = {
  packetMaxBytes: PACKET_MAX_BYTES,
  receiveMaximum: 100,
  appendsMax: 100,
  appendsMaxBytes: 1_000_000,
  connectTimeoutMs: 5_000,
  keepAliveMaxS: 0,
  sessionExpiryMaxS: 0xffff_ffff,
  topicAliasMaximum: TOPIC_ALIAS_MAXIMUM,
};

/** A connection machine fed with bytes, as a socket's driver does it. */
export class Machine {
  readonly effects: Effect[] = [];
  /** What would be on the wire. */
  readonly said: Buffer[] = [];
  readonly state: ConnectionState;

  constructor(snapshot: string) {
    this.state = fromSnapshot<ConnectionState>(snapshot);
  }

  receive(...chunks: readonly Uint8Array[]): void {
    for (const bytes of chunks) this.feed({ type: 'bytes-received', bytes });
  }

  feed(input: Parameters<typeof step>[1]): void {
    for (const effect of step(this.state, input, NOW)) {
      this.effects.push(effect);
      if (effect.type !== 'send') continue;
      const bytes = encode(effect.packet, this.state.level ?? 5);
      if (bytes !== null) this.said.push(Buffer.from(bytes));
    }
  }
}

const OPENED = toSnapshot(initialConnection({ limits: LIMITS, spareClientId: 'spare' }, NOW));
const CONNECTED = Object.fromEntries(LEVELS.map((level) => [level, connectedSnapshot(level)])) as Record<Level, string>;

/** A machine in the state in which the case is due. */
export function machineFor({ when, level }: Pick<Case, 'when' | 'level'>): Machine {
  return new Machine(when === 'first' ? OPENED : CONNECTED[level]);
}

/** Refused with the clause and the answer of the standard, counted and reported once, closed, and nothing else was done. */
export function assertRefused(
  { verdicts, when, answerIn }: Case,
  { effects, said, state }: Machine,
  about: string,
): void {
  const reports = effects.filter((effect) => effect.type === 'report');
  assert.equal(reports.length, 1, `${about}: ${reports.length} reports, of ${kinds(effects)}`);
  const clauses = verdicts.map(({ clause }) => clause).join(' or ');
  const verdict = verdicts.find(({ clause }) => clause === reports[0]!.clause);
  assert.ok(verdict, `${about}: ${reports[0]!.clause} (${reports[0]!.text}) instead of ${clauses}`);
  assertAnswer(Buffer.concat(said), answerTo(verdict, when, answerIn), about);
  assert.equal(effects.at(-1)?.type, 'close', about);
  const others = effects.filter(({ type }) => type !== 'report' && type !== 'send' && type !== 'close');
  assert.equal(kinds(others), when === 'connected' ? 'count leave' : 'count', about);
  assert.equal(state.phase, 'closed', about);
}

export function kinds(effects: readonly Effect[]): string {
  return effects.map(({ type }) => type).join(' ');
}

function connectedSnapshot(level: Level): string {
  const machine = new Machine(OPENED);
  machine.receive(plainConnect(level, CLIENT_ID));
  letIn(machine);
  assert.equal(machine.state.phase, 'connected');
  return toSnapshot(machine.state);
}

/** All that a CONNECT waits for goes well. */
export function letIn(machine: Machine): void {
  machine.feed({ type: 'authenticated', verdict: 'admitted' });
  const [connectionNumber, generation] = [10, 10];
  machine.feed({ type: 'claimed', connectionNumber, generation, sessionPresent: false, will: null, leftWills: [] });
}
