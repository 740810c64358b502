import type { LogEntry, Position } from '../ports/log.js';
import type { SessionCommand } from '../ports/session-commands.js';
import type { CheckpointRow, OutboundKey, OutboundRow, SubscriptionRow } from '../ports/store.js';
import type { HandedBack } from '../session/delivery.js';
import type { SessionEffect } from '../session/effects.js';
import { endSession } from '../session/ending.js';
import type { FilterRead, FilterRefused, SessionInput } from '../session/inputs.js';
import { isHandedOn } from '../session/places.js';
import {
  initialSession,
  type SessionLimits,
  type SessionName,
  type SessionState,
  sessionDeadline,
} from '../session/state.js';
import { stepSession } from '../session/step.js';
import type { Publication } from '../topics/publication.js';
import { eachOf } from './each-of.js';
import type { Obey, Read, Report } from './effects.js';
import { type LoadedSession, restoreSession } from './load.js';
import { type DoneRow, Partitions } from './partitions.js';
import { RecentRetained } from './recent-retained.js';
import { type NamedPlace, retainedRow, retainedRows } from './retained-row.js';
import type { Slot } from './slot.js';
import { Subscribers } from './subscribers.js';

/** How long a retained publication's row may lag behind its append. */
const RETAINED_LAG_MAX_MS = 30_000;
/** Where what the server says of itself comes from. */
const OWN_SOURCE = '$SYS';
/** How long a published will is known, so that a command under way does not bring it back. */
const WILL_REMEMBERED_MS = 60_000;

/**
 * One unit of ownership of fan-out: sessions, the index of their filters, and how far the log is dealt with. No I/O:
 * commands, publications and reports come in, effects go to `obey`.
 */
export class Shard {
  readonly #limits: SessionLimits;
  readonly #obey: Obey;
  readonly #sessions = new Map<string, Slot>();
  readonly #subscribers = new Subscribers();
  readonly #partitions: Partitions;
  readonly #recentRetained = new RecentRetained();
  /** Wills handed to `obey`, by client and connection number, and when they were settled; null: not yet. */
  readonly #firing = new Map<string, number | null>();

  constructor(options: { limits: SessionLimits; checkpoints: readonly CheckpointRow[] }, obey: Obey) {
    this.#limits = options.limits;
    this.#obey = obey;
    this.#partitions = new Partitions(options.checkpoints);
  }

  hasSession(clientId: string): boolean {
    return this.#sessions.has(clientId);
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  get subscriptionCount(): number {
    return this.#subscribers.count;
  }

  /** Where reading of a partition goes on after a restart; null: nothing is known of it. */
  low(partition: string): Position | null {
    return this.#partitions.low(partition);
  }

  /** Filters of the log that some session has. */
  filters(): string[] {
    return this.#subscribers.filters();
  }

  /** Whether some session has a filter that matches the topic. */
  hasMatch(topic: string): boolean {
    return this.#subscribers.hasMatch(topic);
  }

  /** Every subscription of every session. */
  *subscriptions(): Iterable<SubscriptionRow> {
    for (const { state } of this.#sessions.values()) yield* Object.values(state.subscriptions);
  }

  /** A partition is read from now on, beginning after `position`; null: with its first entry. */
  follow(partition: string, position: Position | null): void {
    this.#partitions.follow(partition, position);
  }

  /** All that has to be read is followed: what was left of other partitions can go. */
  caughtUp(): void {
    this.#partitions.caughtUp();
  }

  /** No filter needs a partition any more. False, and nothing has changed, where some session still owes its client something of it. */
  unfollow(partition: string): boolean {
    return this.#partitions.unfollow(partition);
  }

  /** Whether the saved checkpoint is past a place, so that replay does not come upon it. */
  hasPassed(place: OutboundKey): boolean {
    return this.#partitions.hasPassed(place);
  }

  /** A row that an owner before this one left: what it has of a share goes to nobody else, by replay or from who had it before. */
  know(owner: SessionName, row: OutboundRow): void {
    const { share, origin } = row;
    const isOthers = isHandedOn(origin) || !this.hasPassed(origin);
    if (share !== undefined && isOthers) this.#subscribers.know(share, origin, owner);
  }

  /** Takes over a session that an owner before this one left. Its client is not connected, or no more. When all are here, `tick`. */
  load(loaded: LoadedSession, now: number): void {
    const state = restoreSession(loaded, this.#limits);
    const slot = this.#addSlot(state);
    for (const row of Object.values(state.subscriptions)) this.#subscribers.set(slot, row);
    for (const row of loaded.inFlight) if (row.state === 'done') this.#partitions.keepDone(state, row);
    for (const will of loaded.presence.leftWills) this.#obeySession(slot, { type: 'publish-will', will }, now);
  }

  /** `reads`: for each filter of a SUBSCRIBE; left out: the log is read whole. */
  command(command: SessionCommand, now: number, reads?: readonly Read[]): void {
    let slot = this.#sessions.get(command.clientId);
    if (command.type === 'connected') {
      if (slot !== undefined && slot.state.generation < command.generation) {
        this.#replace(slot, now);
        slot = undefined;
      }
      const { clientId, generation } = command;
      slot ??= this.#addSlot(initialSession({ clientId, generation, limits: this.#limits }));
    }
    if (slot === undefined) return;
    if (command.type === 'subscribe') {
      this.#step(slot, { ...command, read: command.subscriptions.map((_, i) => this.#handedOut(reads?.[i])) }, now);
    } else if (command.type === 'disconnected') {
      this.#step(slot, { ...command, shared: this.#subscribers.servedWithout(slot) }, now);
    } else {
      this.#step(slot, command, now);
    }
  }

  /** Hands a publication of the log to every session with a filter that matches it. `isReplay`: an owner before this one may have. */
  publish(entry: NamedPlace, publication: Publication, isReplay: boolean, now: number): void {
    const { position } = entry;
    const progress = this.#partitions.of(entry.partition);
    if (publication.retain) this.#recentRetained.see(retainedRows(entry, publication), now);
    if (isReplay && progress.isDone(position)) return progress.handOut(position, 0);
    const recipients = this.#subscribers.recipients(entry, publication, isReplay);
    let needs = 0;
    for (const { delivery } of recipients) if (delivery.held) needs += 1;
    progress.handOut(position, needs);
    eachOf(recipients, ({ slot, delivery }) => this.#step(slot, { type: 'published', delivery }, now));
  }

  /** Hands out what the server says of itself: at most once, and the newest to whoever subscribes later. Not of the log. */
  publishOwn(publication: Publication, now: number): void {
    const place = { partition: OWN_SOURCE, position: '' };
    this.#recentRetained.seeOwn(retainedRow(place, publication));
    for (const { slot, delivery } of this.#subscribers.recipients(place, publication, false)) {
      this.#step(slot, { type: 'published', delivery }, now);
    }
  }

  /** A record that is no publication: passed over. */
  skip(entry: Pick<LogEntry, 'partition' | 'position'>): void {
    this.#partitions.of(entry.partition).handOut(entry.position, 0);
  }

  /** What `obey` was told has happened. */
  report(session: SessionName, input: Report, now: number): void {
    const slot = this.#sessions.get(session.clientId);
    if (slot === undefined || slot.state.generation !== session.generation) return;
    if (input.type === 'retained-read') {
      const after = slot.state.retainedDue[0]?.after ?? null;
      const rows = this.#recentRetained.overlay(input.rows, input.filter, after, input.next);
      this.#step(slot, { ...input, rows }, now);
    } else if (input.type === 'history-read') {
      const { handedOut } = this.#partitions.of(input.partition);
      this.#step(slot, { ...input, handedOut: handedOut ?? '' }, now);
    } else {
      this.#step(slot, input, now);
    }
  }

  /** Gives what an ended session had of shared subscriptions, and stored, to their other members. */
  handBack(from: SessionName, publications: readonly HandedBack[], now: number): void {
    this.#handBack(null, this.#subscribers.released(from, publications), now);
  }

  /** Rows are durable and the checkpoint need not wait for them, whatever has become of the session. */
  settleStored(rows: readonly OutboundRow[]): void {
    for (const row of rows) this.#partitions.settle(row.origin);
  }

  /** The will is published and out of the presence row; a CONNECT that read the row before may still bring it. */
  willSettled(clientId: string, connectionNumber: number, now: number): void {
    this.#firing.set(`${connectionNumber} ${clientId}`, now);
  }

  /** Lets time pass for every session that waits for it. */
  tick(now: number): void {
    this.#recentRetained.forget(now - RETAINED_LAG_MAX_MS);
    for (const [name, settledAtMs] of this.#firing) {
      if (settledAtMs !== null && settledAtMs < now - WILL_REMEMBERED_MS) this.#firing.delete(name);
    }
    eachOf(this.#sessions.values(), (slot) => {
      const deadline = sessionDeadline(slot.state);
      if (deadline !== null && deadline <= now) this.#step(slot, { type: 'ticked' }, now);
    });
  }

  /** Checkpoints that moved since the last call. */
  takeCheckpoints(): CheckpointRow[] {
    return this.#partitions.takeCheckpoints();
  }

  /** See `Partitions.checkpointsSaved`. */
  checkpointsSaved(rows: readonly CheckpointRow[], isHandingOn = false): DoneRow[] {
    return this.#partitions.checkpointsSaved(rows, isHandingOn);
  }

  #handedOut(read: Read | undefined): FilterRead | FilterRefused {
    if (read !== undefined && 'reasonCode' in read) return read;
    return { handedOut: this.#partitions.handedOut(read?.partitions) };
  }

  #step(slot: Slot, input: SessionInput, now: number): void {
    for (const effect of stepSession(slot.state, input, now)) this.#obeySession(slot, effect, now);
  }

  #handBack(from: Slot | null, publications: readonly HandedBack[], now: number): void {
    for (const publication of publications) {
      const recipient = this.#subscribers.recipientInstead(publication, from);
      if (publication.held && !recipient?.delivery.held) this.#partitions.settle(publication.place);
      if (recipient !== null) this.#step(recipient.slot, { type: 'published', delivery: recipient.delivery }, now);
    }
  }

  #obeySession(slot: Slot, effect: SessionEffect, now: number): void {
    const { state } = slot;
    switch (effect.type) {
      case 'settle':
        return this.#partitions.settle(effect.place);
      case 'hand-back':
        return this.#handBack(slot, effect.publications, now);
      case 'index':
        for (const row of effect.subscriptions) this.#subscribers.set(slot, row);
        return;
      case 'unindex':
        for (const filter of effect.filters) this.#subscribers.delete(slot, filter);
        return;
      case 'finish-outbound': {
        const { origin } = effect.row;
        const passed = this.hasPassed(origin) && !isHandedOn(origin);
        if (!passed) this.#partitions.keepDone(state, effect.row);
        return this.#obey(state, { ...effect, passed });
      }
      case 'publish-will': {
        const name = `${effect.will.connectionNumber} ${state.clientId}`;
        if (this.#firing.has(name)) return;
        this.#firing.set(name, null);
        return this.#obey(state, effect);
      }
      case 'end-session':
        this.#sessions.delete(state.clientId);
        return this.#obey(state, { ...effect, replaced: false });
      default:
        return this.#obey(state, effect);
    }
  }

  /** The client began anew: what the old session had is let go, without its presence row, which is the new one's. */
  #replace(slot: Slot, now: number): void {
    const effects: SessionEffect[] = [];
    endSession(slot.state, effects);
    this.#sessions.delete(slot.state.clientId);
    for (const effect of effects) {
      if (effect.type === 'end-session') this.#obey(slot.state, { ...effect, replaced: true });
      else this.#obeySession(slot, effect, now);
    }
  }

  #addSlot(state: SessionState): Slot {
    const slot: Slot = { state, mark: 0, at: 0 };
    this.#sessions.set(state.clientId, slot);
    return slot;
  }
}
