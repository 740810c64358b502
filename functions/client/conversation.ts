import { clientFrame, FRAME_MAX_BYTES } from '../dialect/client-frame.js';
import { parseServerFrame, type Refusal, type ServerFrame } from '../dialect/server-frame.js';
import { Link, type TextSocket } from './link.js';
import { joined, Outgoing } from './outgoing.js';
import type { Timers } from './timers.js';
import { WorkerStream } from './worker-stream.js';

export interface ConversationEvents {
  opened(): void;
  received(bytes: Uint8Array): void;
  closed(code: number, reason: string): void;
}

export interface ConversationParts {
  /** Opens a connection to the gateway; `resumes`: the token of the one that it goes on with. */
  connect: (resumes: string | null) => TextSocket;
  timers: Timers;
  events: ConversationEvents;
}

/** API Gateway ends a function after 29 s. */
const ANSWER_MAX_MS = 30_000;
/** API Gateway closes what is idle for 10 minutes. */
const HEARTBEAT_MS = 540_000;
/** API Gateway closes every connection after 2 hours; clients that came together do not renew together. */
const RENEW_FROM_MS = 100 * 60_000;
const RENEW_WITHIN_MS = 15 * 60_000;
const RENEW_AGAIN_MS = 30_000;
/** What was posted to the connection before is on its way for so long at most. */
const LINGER_MS = 10_000;
const FIRST_DELAY_MS = 500;
const TRIES_MAX = 6;
/** A message of several frames is not kept in more. */
const PARTS_MAX = 4;
/** How long what is written is waited for once the client closes: its DISCONNECT. */
const FLUSH_MAX_MS = 5_000;

/** The client half of the dialect (`docs/PROTOCOL.md`): one frame under way, the next when its answer came. */
export class Conversation {
  readonly #parts: ConversationParts;
  readonly #outgoing: Outgoing;
  readonly #worker = new WorkerStream();
  #link: Link;
  /** Being opened, to go on with. */
  #next: Link | null = null;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #partsInARow = 0;
  #frame: { number: number; text: string; bytes: number; tries: number } | null = null;
  #number = 0;
  #token: string | null = null;
  /** The worker's, which come no earlier than the answer to CONNECT; null: that was handed on. */
  #held: Uint8Array[] | null = [];
  #isClosing = false;
  #isOver = false;
  readonly #cancels = new Map<string, () => void>();

  constructor(parts: ConversationParts) {
    this.#parts = parts;
    this.#outgoing = new Outgoing((pong) => parts.events.received(pong));
    this.#link = this.#open(null);
  }

  /** Bytes that no answer has come for. */
  get unanswered(): number {
    return this.#outgoing.length + this.#waitingBytes + (this.#frame?.bytes ?? 0);
  }

  write(bytes: Uint8Array): void {
    if (this.#isClosing || this.#isOver) return;
    for (const packet of this.#outgoing.take(bytes)) {
      this.#waiting.push(packet);
      this.#waitingBytes += packet.length;
    }
    this.#send();
  }

  /** Once what was written is answered, or after a while. */
  close(): void {
    if (this.#isClosing || this.#isOver) return;
    this.#isClosing = true;
    this.#after('flush', FLUSH_MAX_MS, () => this.#end(1000, ''));
    if (!this.#link.isOpen || (this.#frame === null && this.#waitingBytes === 0)) this.#end(1000, '');
  }

  #open(resumes: string | null): Link {
    return new Link(this.#parts.connect(resumes), {
      opened: (link) => this.#opened(link),
      received: (link, text) => this.#received(link, text),
      closed: (link, code, reason) => this.#closed(link, code, reason),
    });
  }

  #opened(link: Link): void {
    const before = this.#link;
    this.#after('renew', RENEW_FROM_MS + this.#parts.timers.random() * RENEW_WITHIN_MS, () => this.#renew());
    if (link === before) {
      this.#parts.events.opened();
    } else if (link === this.#next) {
      this.#next = null;
      this.#link = link;
      this.#parts.timers.after(LINGER_MS, () => before.close());
      // Under its number: whether the server has dealt with it, it knows. Without one, an empty frame says where we are.
      if (this.#frame !== null) this.#sendFrame();
      else this.#nextFrame();
    }
    this.#send();
  }

  #closed(link: Link, code: number, reason: string): void {
    if (link === this.#next) {
      this.#next = null;
      this.#after('renew', RENEW_AGAIN_MS, () => this.#renew());
    } else if (link === this.#link) {
      // What the worker posted to it meanwhile may be lost, so that only the MQTT session can go on.
      this.#end(code, reason);
    }
  }

  #received(link: Link, text: string | null): void {
    if (this.#isOver) return;
    const frame = text === null ? null : parseServerFrame(text);
    if (frame?.type === 'worker') return this.#workerFrame(frame);
    // An answer counts where the frame was last sent: the server goes by what it has saved.
    if (link !== this.#link) return;
    if (frame === null) return this.#again();
    if (frame.type === 'refusal') return this.#refused(frame.why);
    if (frame.number !== this.#frame?.number) return;
    this.#frame = null;
    this.#cancel('answer');
    if (frame.type === 'answer' && frame.token !== undefined) this.#token = frame.token;
    this.#hand(frame.bytes);
    if (frame.bytes.length > 0) this.#release();
    if (frame.type === 'last-answer') return this.#end(1000, '');
    this.#send();
    if (this.#isClosing && this.#frame === null) this.#end(1000, '');
  }

  #workerFrame({ epoch, number, bytes }: Extract<ServerFrame, { type: 'worker' }>): void {
    const ready = this.#worker.take(epoch, number, bytes);
    if (ready === null) return this.#end(1011, 'a frame of the worker is missing');
    if (this.#held !== null) this.#held.push(...ready);
    else for (const each of ready) this.#hand(each);
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const bytes of held) this.#hand(bytes);
  }

  #refused(why: Refusal): void {
    if (why === 'unavailable') this.#again();
    else this.#end(why === 'too-large' ? 1009 : 1011, why);
  }

  /** The same frame, after a while. */
  #again(): void {
    const frame = this.#frame;
    if (frame === null) return;
    this.#cancel('answer');
    frame.tries += 1;
    if (frame.tries >= TRIES_MAX) return this.#end(1011, 'the server does not answer');
    this.#after('again', FIRST_DELAY_MS * 2 ** (frame.tries - 1), () => this.#sendFrame());
  }

  #send(): void {
    if (this.#frame === null && this.#waitingBytes > 0 && this.#link.isOpen) this.#nextFrame();
  }

  #nextFrame(): void {
    const all = joined(this.#waiting);
    const bytes = all.subarray(0, FRAME_MAX_BYTES);
    const rest = all.subarray(bytes.length);
    this.#waiting = rest.length > 0 ? [rest] : [];
    this.#waitingBytes = rest.length;
    const isPart = rest.length > 0 && this.#partsInARow < PARTS_MAX - 1;
    this.#partsInARow = isPart ? this.#partsInARow + 1 : 0;
    this.#number += 1;
    const { length } = bytes;
    this.#frame = {
      number: this.#number,
      text: clientFrame({ number: this.#number, bytes, isPart }),
      bytes: length,
      tries: 0,
    };
    this.#sendFrame();
  }

  #sendFrame(): void {
    if (this.#frame === null) return;
    this.#link.send(this.#frame.text);
    this.#after('answer', ANSWER_MAX_MS, () => this.#end(1006, 'no answer'));
    this.#after('heartbeat', HEARTBEAT_MS, () => this.#beat());
  }

  #beat(): void {
    if (this.#frame === null && this.#link.isOpen) this.#nextFrame();
  }

  #renew(): void {
    if (this.#token === null || this.#isClosing || this.#next !== null) return;
    this.#next = this.#open(this.#token);
  }

  #hand(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#parts.events.received(bytes);
  }

  #end(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const cancel of this.#cancels.values()) cancel();
    this.#link.close();
    this.#next?.close();
    this.#parts.events.closed(code, reason);
  }

  #after(name: string, ms: number, run: () => void): void {
    this.#cancel(name);
    this.#cancels.set(name, this.#parts.timers.after(ms, run));
  }

  #cancel(name: string): void {
    this.#cancels.get(name)?.();
    this.#cancels.delete(name);
  }
}
