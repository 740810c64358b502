import { bufferedBytes, start, step } from '../dialect/client-half.js';
import {
  type ClientState,
  type Effect,
  type Input,
  newClientState,
  nextDeadline,
  TIMING,
} from '../dialect/client-state.js';
import { concatenated } from '../dialect/packets.js';
import type { Settings, TextSocket } from './settings.js';

/** Who is told what the machine says to its user. */
export interface LinkEvents {
  ready(): void;
  delivered(bytes: Uint8Array): void;
  /** Once; nothing is told after it. */
  ended(code: number, reason: string): void;
  /** `bufferedBytes` may have changed. */
  progressed(): void;
}

/** Obeys the client half's machine: real sockets, one timer. */
export class Link {
  readonly #state: ClientState;
  readonly #url: string;
  readonly #subprotocols: string[];
  readonly #settings: Settings;
  readonly #events: LinkEvents;
  readonly #sockets = new Map<number, TextSocket>();
  readonly #effects: Effect[] = [];
  #isObeying = false;
  #written: Uint8Array[] = [];
  #timer: unknown;
  #timerAtMs: number | null = null;

  constructor(url: string, subprotocols: string[], settings: Settings, events: LinkEvents) {
    this.#url = url;
    this.#subprotocols = subprotocols;
    this.#settings = settings;
    this.#events = events;
    this.#state = newClientState(Math.floor(settings.random() * 0x1_0000_0000), { ...TIMING, ...settings.timing });
    this.#obey(start(this.#state, settings.now()));
  }

  get bufferedBytes(): number {
    return this.#written.reduce((bytes, { length }) => bytes + length, bufferedBytes(this.#state));
  }

  /** What is written in one turn goes out together, and nothing is told before the caller has returned. */
  write(bytes: Uint8Array): void {
    this.#written.push(bytes);
    if (this.#written.length === 1) afterThisTurn(() => this.#flush());
  }

  close(code: number, reason: string): void {
    afterThisTurn(() => {
      this.#flush();
      this.#feed({ type: 'close-asked', code, reason });
    });
  }

  #flush(): void {
    const written = this.#written;
    this.#written = [];
    if (written.length > 0) this.#feed({ type: 'written', bytes: concatenated(written) });
  }

  #feed(input: Input): void {
    this.#obey(step(this.#state, input, this.#settings.now()));
  }

  /** In order, even where somebody who is told something gives the next input at once. */
  #obey(effects: readonly Effect[]): void {
    this.#setTimer();
    this.#effects.push(...effects);
    if (this.#isObeying) return;
    this.#isObeying = true;
    try {
      for (let effect = this.#effects.shift(); effect !== undefined; effect = this.#effects.shift()) {
        this.#obeyOne(effect);
      }
    } finally {
      this.#isObeying = false;
    }
    this.#events.progressed();
  }

  #obeyOne(effect: Effect): void {
    switch (effect.type) {
      case 'open':
        return this.#open(effect.socket, effect.query);
      case 'send':
        return this.#sockets.get(effect.socket)?.send(effect.text);
      case 'close':
        return this.#close(effect.socket, effect.code);
      case 'ready':
        return this.#events.ready();
      case 'deliver':
        return this.#events.delivered(effect.bytes);
      case 'ended':
        return this.#events.ended(effect.code, effect.reason);
    }
  }

  #open(number: number, query: string): void {
    const url = `${this.#url}${this.#url.includes('?') ? '&' : '?'}${query}`;
    const socket = new this.#settings.WebSocket(url, this.#subprotocols);
    this.#sockets.set(number, socket);
    socket.onopen = () => this.#feed({ type: 'opened', socket: number });
    socket.onmessage = ({ data }) => {
      this.#feed({ type: 'received', socket: number, text: typeof data === 'string' ? data : null });
    };
    // Always followed by a close, which says more.
    socket.onerror = () => {};
    socket.onclose = ({ code, reason }) => {
      this.#sockets.delete(number);
      this.#feed({ type: 'lost', socket: number, code: code ?? 1006, reason: reason ?? '' });
    };
  }

  /** What is still heard of it is of a socket that the machine does not know any more. */
  #close(number: number, code: number): void {
    this.#sockets.get(number)?.close(code);
    this.#sockets.delete(number);
  }

  /** One timer for the nearest deadline. A timer that fires early only looks again. */
  #setTimer(): void {
    const atMs = nextDeadline(this.#state);
    if (atMs === this.#timerAtMs) return;
    const { clearTimeout, now, setTimeout } = this.#settings;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    if (atMs === null) return;
    const run = () => {
      this.#timerAtMs = null;
      this.#feed({ type: 'ticked' });
    };
    this.#timer = setTimeout(run, Math.max(0, atMs - now()));
  }
}

function afterThisTurn(run: () => void): void {
  Promise.resolve().then(run);
}
