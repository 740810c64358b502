import type { Claim, Effect } from '../connection/effects.js';
import type { Input } from '../connection/inputs.js';
import { type ConnectionLimits, type ConnectionState, initialConnection, isOver } from '../connection/state.js';
import { step } from '../connection/step.js';
import { encode } from '../mqtt/encode.js';
import type { Authenticator } from '../ports/authenticator.js';
import type { Clock } from '../ports/clock.js';
import type { ConnectionStore, GatewayRow } from '../ports/connections.js';
import { PortError, portErrorCode } from '../ports/errors.js';
import type { CloseReason } from '../ports/peer.js';
import type { SessionCommand } from '../ports/session-commands.js';
import type { InboundStore, PresenceStore } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { Publication } from '../topics/publication.js';
import { authenticate } from './authenticate.js';
import { DueWills } from './due-wills.js';
import { type DurableEffect, perform } from './durable-effects.js';
import { GATEWAY_EDGE } from './gateway-name.js';
import { type KeptConnection, keepConnection, restoreConnection } from './kept-connection.js';
import { Presence } from './presence.js';
import type { Publisher } from './publisher.js';
import type { RemoteCommands } from './remote-commands.js';
import { retry } from './retry.js';
import type { TakeOver } from './take-over.js';

export interface GatewayEdgeParts {
  clock: Clock;
  telemetry: Telemetry;
  authenticator: Authenticator;
  presence: PresenceStore;
  inbound: InboundStore;
  connections: ConnectionStore;
  publisher: Publisher;
  /** As `EdgeParts.takeOver`. */
  takeOver: TakeOver;
  /** Resolves when the shard will hear of them. */
  tell: (commands: RemoteCommands) => Promise<void>;
}

/** What one frame of a client has come to. */
export interface Outcome {
  /** Bytes of whole packets for the client. */
  bytes: Uint8Array;
  /** Why the connection is to be closed, after them; null: it stays. */
  closes: CloseReason | null;
  /** Of QoS 0, for `publish`: at most once, so not before it is known that nobody else has dealt with the frame. */
  unpublished: readonly Publication[];
}

/** One connection for as long as one frame of it is dealt with. */
interface Step {
  readonly id: string;
  /** No other invocation's appends are this one's own. */
  readonly self: string;
  readonly peer: string;
  readonly state: ConnectionState;
  readonly presence: Presence;
  readonly wills: DueWills;
  readonly sent: Uint8Array[];
  readonly commands: SessionCommand[];
  readonly working: Set<Promise<void>>;
  readonly unpublished: Publication[];
  closes: CloseReason | null;
}

/**
 * The gateway edge's driver: steps a machine that was loaded, obeys, and waits until nothing is under way, so that what is saved
 * then is whole. Whatever it is told twice comes to the same.
 */
export class GatewayEdge {
  readonly #parts: GatewayEdgeParts;
  readonly #limits: ConnectionLimits;

  constructor(parts: GatewayEdgeParts, limits: ConnectionLimits) {
    this.#parts = parts;
    this.#limits = limits;
  }

  /** For the row of a new connection. */
  begin(token: string | undefined): KeptConnection {
    const { clock } = this.#parts;
    const options = { limits: this.#limits, spareClientId: `pulsegate-${clock.unique()}`, token };
    return keepConnection(initialConnection(options, clock.now()));
  }

  /** The client's bytes of one frame. Changes `row.state`, which is to be saved. Rejects `PortError` where the shard cannot be told. */
  async received(row: GatewayRow, frame: number, bytes: Uint8Array): Promise<Outcome> {
    return this.#run(row, frame, [{ type: 'bytes-received', bytes }]);
  }

  /** The gateway says that the connection is gone. */
  async lost(row: GatewayRow): Promise<void> {
    await this.#run(row, Number.MAX_SAFE_INTEGER, [{ type: 'peer-closed' }]);
  }

  /** What of QoS 0 cannot be published now is lost. Never rejects. */
  async publish(publications: readonly Publication[]): Promise<void> {
    const { publisher, telemetry } = this.#parts;
    const outcomes = await Promise.allSettled(publications.map((publication) => publisher.publish(publication)));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') telemetry.log('debug', 'effect-failed', { error: String(outcome.reason) });
    }
  }

  async #run(row: GatewayRow, frame: number, inputs: readonly Input[]): Promise<Outcome> {
    const { clock, presence: store } = this.#parts;
    const state = restoreConnection(row.state as KeptConnection, this.#limits);
    const presence = new Presence({ store, clock, edge: () => `${GATEWAY_EDGE}${row.id}`, isOneConnection: true });
    const run: Step = {
      id: row.id,
      self: clock.unique(),
      peer: row.peer,
      state,
      presence,
      wills: new DueWills({ ...this.#parts, presence }),
      sent: [],
      commands: [],
      working: new Set(),
      unpublished: [],
      closes: null,
    };
    for (const input of inputs) this.#feed(run, input);
    // All of it, whatever has failed: nothing may go on behind the answer.
    const failures: unknown[] = [];
    while (run.working.size > 0) {
      const results = await Promise.allSettled(run.working);
      failures.push(...results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])));
    }
    if (failures.length > 0) throw failures[0];
    row.state = keepConnection(state);
    const { clientId, connectionNumber } = state;
    if (run.commands.length > 0) {
      await this.#parts.tell({ clientId, connectionNumber, frame, gatewayId: row.id, commands: run.commands });
    }
    const closes = run.closes ?? (isOver(state) ? 'normal' : null);
    return { bytes: Buffer.concat(run.sent), closes, unpublished: run.unpublished };
  }

  #feed(run: Step, input: Input): void {
    for (const effect of step(run.state, input, this.#parts.clock.now())) this.#obey(run, effect);
  }

  #obey(run: Step, effect: Effect): void {
    const { telemetry } = this.#parts;
    const { state } = run;
    switch (effect.type) {
      case 'send': {
        const bytes = encode(effect.packet, state.level ?? 5);
        if (bytes !== null) run.sent.push(bytes);
        return;
      }
      case 'close':
        run.closes = effect.reason;
        return;
      // One frame is dealt with at a time, and its bytes are here.
      case 'pause-reading':
      case 'resume-reading':
        return;
      case 'yield':
        return this.#then(run, async () => ({ type: 'yielded' }));
      case 'authenticate':
        return this.#then(run, () => authenticate(effect, run.peer, this.#parts));
      case 'claim':
        return this.#then(run, () => this.#claim(run, effect.claim));
      case 'append':
        telemetry.count('publications-received');
        if (effect.qos === 0) {
          const { qos, reference, bytes } = effect;
          run.unpublished.push(effect.publication);
          return this.#then(run, async () => ({ type: 'appended', qos, reference, bytes }));
        }
        return this.#then(run, () => this.#perform(run, effect));
      case 'begin-inbound':
      case 'resolve-append':
      case 'end-inbound':
      case 'drop-inbound':
        return this.#then(run, () => this.#perform(run, effect));
      case 'tell-session':
        run.commands.push(effect.command);
        return;
      case 'leave':
        return this.#leave(run, effect);
      case 'count':
        return telemetry.count(effect.name);
      case 'report': {
        const { clause, text } = effect;
        const client = state.clientId === '' ? undefined : state.clientId;
        return telemetry.log(effect.level, effect.event, { client, peer: run.peer, clause, text });
      }
    }
  }

  #perform(run: Step, effect: DurableEffect): Promise<Input> {
    const { presence, self, state } = run;
    return perform(effect, state, { ...this.#parts, presence, self: () => self });
  }

  #then(run: Step, perform: () => Promise<Input>): void {
    this.#work(
      run,
      perform().then((input) => this.#feed(run, input)),
    );
  }

  #work(run: Step, work: Promise<void>): void {
    const done: Promise<void> = work.finally(() => run.working.delete(done));
    run.working.add(done);
  }

  /** The gateway's connection that had the client before is closed here, and its will published: that must not wait for a worker. */
  async #claim(run: Step, claim: Claim): Promise<Input> {
    const { takeOver, telemetry } = this.#parts;
    try {
      const claimed = await run.presence.claim(claim);
      if (claimed === null) throw new PortError('unavailable', 'a later connection has the client');
      const { row, takenFrom, sessionPresent } = claimed;
      const { connectionNumber, generation, will } = row;
      if (takenFrom !== null) {
        await takeOver(takenFrom, claim.clientId, connectionNumber).catch((error: unknown) => {
          telemetry.log('warn', 'taken-over-not-closed', { client: claim.clientId, error: String(error) });
        });
      }
      const leftWills = await run.wills.beforeSuccessor(claimed);
      return { type: 'claimed', connectionNumber, generation, sessionPresent, will, leftWills };
    } catch (error) {
      telemetry.log('warn', 'claim-failed', { client: claim.clientId, error: String(error) });
      return { type: 'claim-failed', code: portErrorCode(error) };
    }
  }

  #leave(run: Step, { sessionExpiryS, will, atMs }: Extract<Effect, { type: 'leave' }>): void {
    const { clientId, connectionNumber } = run.state;
    const leave = async () => {
      const call = () => run.presence.leave(clientId, connectionNumber, { sessionExpiryS, will, atMs });
      const left = await retry('leave', this.#parts, call);
      if (left === null) return;
      const asked = await run.wills.afterLeaving(left, will);
      run.commands.push({ type: 'disconnected', clientId, connectionNumber, atMs, sessionExpiryS, will: asked });
    };
    this.#work(run, leave());
  }
}
