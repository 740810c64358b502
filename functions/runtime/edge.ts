import type { Claim, Effect } from '../connection/effects.js';
import type { Input } from '../connection/inputs.js';
import {
  type ConnectionLimits,
  type ConnectionState,
  connectionDeadline,
  initialConnection,
} from '../connection/state.js';
import { step } from '../connection/step.js';
import { encode } from '../mqtt/encode.js';
import type { Authenticator } from '../ports/authenticator.js';
import type { EdgeChannel, SessionChannel, SessionChannels } from '../ports/channels.js';
import type { Clock } from '../ports/clock.js';
import { portErrorCode } from '../ports/errors.js';
import type { Peer, PeerEvents } from '../ports/peer.js';
import type { InboundStore } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import { authenticate } from './authenticate.js';
import type { DueWills } from './due-wills.js';
import { perform } from './durable-effects.js';
import type { ClaimedPresence, Presence } from './presence.js';
import { PresenceLine } from './presence-line.js';
import type { Publisher } from './publisher.js';
import { retry } from './retry.js';
import { Seldom } from './seldom.js';
import type { TakeOver } from './take-over.js';

export interface EdgeParts {
  clock: Clock;
  telemetry: Telemetry;
  authenticator: Authenticator;
  presence: Presence;
  publisher: Publisher;
  inbound: InboundStore;
  sessions: SessionChannels;
  wills: DueWills;
  /** Another edge has lost the client to this one: resolves when it will hear of it. Left out: there is no other. */
  takeOver?: TakeOver;
  /** This process, as no other is named, before or after. */
  self: () => string;
}

export interface EdgeLimits extends ConnectionLimits {
  /** Bytes unsent to one client above which QoS 0 is dropped for it. */
  sendBufferMaxBytes: number;
  /** Connections at once; 0: no bound. */
  connectionsMax: number;
}

/** What may be unsent to a client that counts as having taken all. */
const DRAINED_BYTES = 256 * 1024;
const DRAINED_LOOK_MS = 20;
/** A failure that repeats is logged at most this often. */
const SAID_EVERY_MS = 10_000;

interface Connection {
  readonly state: ConnectionState;
  readonly peer: Peer;
  /** From its claim on; 0 before. */
  number: number;
  session: SessionChannel | null;
  /** When the timer set last goes off; Infinity: none is set. */
  timerAtMs: number;
  cancelTimer: () => void;
  /** Whether it was closed for not reading. */
  isLetGo: boolean;
}

/** The socket edge's driver: keeps connections in memory, steps their machines and obeys. */
export class Edge implements EdgeChannel {
  readonly #parts: EdgeParts;
  readonly #limits: EdgeLimits;
  readonly #seldom: Seldom;
  readonly #connections = new Set<Connection>();
  readonly #byClient = new Map<string, Connection>();
  readonly #presenceLine = new PresenceLine();

  constructor(parts: EdgeParts, limits: EdgeLimits) {
    this.#parts = parts;
    this.#seldom = new Seldom(parts.clock, SAID_EVERY_MS);
    this.#limits = limits;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Takes a new peer. */
  readonly accept = (peer: Peer): PeerEvents => {
    const { clock, telemetry } = this.#parts;
    const spareClientId = `pulsegate-${clock.unique()}`;
    const options = { limits: this.#limits, spareClientId, token: peer.token };
    const connection: Connection = {
      state: initialConnection(options, clock.now()),
      peer,
      number: 0,
      session: null,
      timerAtMs: Number.POSITIVE_INFINITY,
      cancelTimer: () => {},
      isLetGo: false,
    };
    this.#connections.add(connection);
    const { connectionsMax } = this.#limits;
    if (connectionsMax > 0 && this.#connections.size > connectionsMax) {
      telemetry.count('connections-refused-full');
      peer.close('policy');
    }
    this.#arm(connection);
    return {
      received: (bytes) => this.#feed(connection, { type: 'bytes-received', bytes }),
      refused: (reason, text) => this.#feed(connection, { type: 'peer-refused', reason, text }),
      closed: () => {
        this.#feed(connection, { type: 'peer-closed' });
        this.#connections.delete(connection);
        connection.cancelTimer();
      },
    };
  };

  deliver(clientId: string, connectionNumber: number, bytes: Uint8Array, droppable: boolean): void {
    const connection = this.#byClient.get(clientId);
    if (connection === undefined || connection.number !== connectionNumber) return;
    if (droppable && connection.peer.bufferedBytes > this.#limits.sendBufferMaxBytes) {
      this.#parts.telemetry.count('publications-dropped-slow-client');
      return;
    }
    this.#send(connection, bytes);
  }

  async drained(clientId: string, connectionNumber: number): Promise<void> {
    for (;;) {
      const connection = this.#byClient.get(clientId);
      if (connection?.number !== connectionNumber) return;
      if (connection.peer.bufferedBytes <= DRAINED_BYTES) return;
      await new Promise<void>((resume) => this.#parts.clock.after(DRAINED_LOOK_MS, resume));
    }
  }

  takenOver(clientId: string, connectionNumber: number): void {
    const other = this.#byClient.get(clientId);
    if (other === undefined || other.number >= connectionNumber) return;
    this.#byClient.delete(clientId);
    this.#takeAway(other);
  }

  comeAgain(clientId: string, connectionNumber: number): void {
    const connection = this.#byClient.get(clientId);
    if (connection?.number === connectionNumber) this.#feed(connection, { type: 'shard-moved' });
  }

  /** Says goodbye to every client, evenly over so long, and resolves when every presence row says so too. */
  async close(overMs = 0): Promise<void> {
    const leaving = [...this.#connections];
    for (const [index, connection] of leaving.entries()) {
      const waitMs = overMs / leaving.length;
      if (index > 0 && waitMs > 0) await new Promise<void>((resume) => this.#parts.clock.after(waitMs, resume));
      this.#feed(connection, { type: 'shutting-down' });
    }
    await this.#presenceLine.settled();
  }

  #takeAway(connection: Connection): void {
    this.#feed(connection, { type: connection.state.phase === 'connected' ? 'taken-over' : 'shard-moved' });
  }

  #feed(connection: Connection, input: Input): void {
    const { clock, telemetry } = this.#parts;
    try {
      for (const effect of step(connection.state, input, clock.now())) this.#obey(connection, effect);
      this.#arm(connection);
    } catch (defect) {
      // One connection's defect is not the others'.
      telemetry.log('error', 'defect', { client: connection.state.clientId, error: String(defect) });
      connection.peer.close('internal-error');
    }
  }

  #obey(connection: Connection, effect: Effect): void {
    const { state, peer } = connection;
    switch (effect.type) {
      case 'send': {
        const bytes = encode(effect.packet, state.level ?? 5);
        if (bytes !== null) this.#send(connection, bytes);
        return;
      }
      case 'close':
        return peer.close(effect.reason);
      case 'pause-reading':
        return peer.pause();
      case 'resume-reading':
        return peer.resume();
      case 'yield':
        return void setImmediate(() => this.#feed(connection, { type: 'yielded' }));
      case 'authenticate':
        return void authenticate(effect, peer.address, this.#parts).then((input) => this.#feed(connection, input));
      case 'claim':
        return this.#presenceLine.enter(state.clientId, () => this.#claim(connection, effect.claim));
      case 'append':
        this.#parts.telemetry.count('publications-received');
        return void perform(effect, state, this.#parts).then((input) => this.#feed(connection, input));
      case 'begin-inbound':
      case 'resolve-append':
      case 'end-inbound':
      case 'drop-inbound':
        return void perform(effect, state, this.#parts).then((input) => this.#feed(connection, input));
      case 'tell-session':
        return connection.session?.tell(effect.command);
      case 'leave':
        return this.#leave(connection, effect);
      case 'count':
        return this.#parts.telemetry.count(effect.name);
      case 'report': {
        const { clause, text } = effect;
        // What ends a connection is said each time; what a full log refuses would be as many lines as publications.
        if (effect.level === 'warn' && !this.#seldom.may(`${effect.event} ${text}`)) return;
        const client = state.clientId === '' ? undefined : state.clientId;
        return this.#parts.telemetry.log(effect.level, effect.event, { client, peer: peer.address, clause, text });
      }
    }
  }

  /** A client that asks and does not read the answers is let go. */
  #send(connection: Connection, bytes: Uint8Array): void {
    const { peer, state } = connection;
    const { telemetry } = this.#parts;
    if (connection.isLetGo) return;
    if (peer.bufferedBytes <= this.#limits.sendBufferMaxBytes * 2) return peer.send(bytes);
    connection.isLetGo = true;
    telemetry.count('connections-closed-slow');
    telemetry.log('info', 'client-does-not-read', { client: state.clientId, bytes: peer.bufferedBytes });
    peer.close('policy');
  }

  /** Whoever else has the client identifier here, and the lower connection number, has lost it. */
  async #claim(connection: Connection, claim: Claim): Promise<void> {
    const { presence, sessions, telemetry } = this.#parts;
    try {
      const claimed = await presence.claim(claim);
      // Without an answer: MQTT.js does not come back after one that refuses it.
      if (claimed === null) return connection.peer.close('going-away');
      const { row, sessionPresent } = claimed;
      const { clientId, connectionNumber, generation, will } = row;
      connection.session = sessions.of(clientId);
      // From now on others may take it away, though it has no answer yet.
      connection.number = connectionNumber;
      const other = this.#byClient.get(clientId);
      const wins = other === undefined || other.number < connectionNumber;
      if (wins) this.#byClient.set(clientId, connection);
      if (wins && other !== undefined) this.#takeAway(other);
      await this.#tellOther(claimed);
      const leftWills = await this.#parts.wills.beforeSuccessor(claimed);
      this.#feed(connection, { type: 'claimed', connectionNumber, generation, sessionPresent, will, leftWills });
      if (!wins) this.#takeAway(connection);
    } catch (error) {
      telemetry.log('warn', 'claim-failed', { client: claim.clientId, error: String(error) });
      this.#feed(connection, { type: 'claim-failed', code: portErrorCode(error) });
    }
  }

  #leave(connection: Connection, effect: Extract<Effect, { type: 'leave' }>): void {
    const { clientId, connectionNumber } = connection.state;
    const { sessionExpiryS, will, atMs } = effect;
    if (this.#byClient.get(clientId) === connection) this.#byClient.delete(clientId);
    const { presence, telemetry, wills } = this.#parts;
    const { session } = connection;
    const call = () => presence.leave(clientId, connectionNumber, { sessionExpiryS, will, atMs });
    const leave = async () => {
      const left = await retry('leave', this.#parts, call);
      if (left === null || session === null) return;
      const asked = await wills.afterLeaving(left, will);
      session.tell({ type: 'disconnected', clientId, connectionNumber, atMs, sessionExpiryS, will: asked });
    };
    this.#presenceLine.enter(clientId, () =>
      leave().catch((error: unknown) => {
        telemetry.log('error', 'leave-failed', { client: clientId, error: String(error) });
      }),
    );
  }

  /** Who has lost the client is closed by this edge: no worker has to be there for that. */
  async #tellOther({ row, takenFrom }: ClaimedPresence): Promise<void> {
    const { self, takeOver, telemetry } = this.#parts;
    if (takeOver === undefined || takenFrom === null || takenFrom === self()) return;
    await takeOver(takenFrom, row.clientId, row.connectionNumber).catch((error: unknown) => {
      telemetry.log('warn', 'taken-over-not-closed', { client: row.clientId, error: String(error) });
    });
  }

  /** One timer for a connection, set for its earliest deadline and looked at again when it goes off. */
  #arm(connection: Connection): void {
    const deadline = connectionDeadline(connection.state);
    if (deadline === null || deadline >= connection.timerAtMs) return;
    connection.cancelTimer();
    connection.timerAtMs = deadline;
    connection.cancelTimer = this.#parts.clock.after(Math.max(0, deadline - this.#parts.clock.now()), () => {
      connection.timerAtMs = Number.POSITIVE_INFINITY;
      this.#feed(connection, { type: 'ticked' });
    });
  }
}
