import { Link } from './link.js';
import { type Options, settingsOf } from './settings.js';

export type EventName = 'open' | 'message' | 'error' | 'close';

/** One shape for all four events; the fields of the others are there and empty. */
export interface SocketEvent {
  readonly type: EventName;
  readonly target: PulsegateSocket;
  /** Of `message`: an ArrayBuffer, or a Blob where `binaryType` asks for one. */
  readonly data: unknown;
  /** Of `close`. */
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

export type Listener = ((event: SocketEvent) => void) | { handleEvent(event: SocketEvent): void };

/** Bytes unanswered above which `send` does not call back yet. */
const BUFFERED_MAX_BYTES = 512 * 1024;

/**
 * A WebSocket of MQTT bytes for any MQTT client, over text frames to API Gateway. It behaves as the browser's does, and stays
 * open where API Gateway closes: after two hours, and when a connection is lost for a short while. Only `send` differs: bytes, never
 * text. `bufferedAmount` counts what the server has not answered.
 */
export class PulsegateSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;

  readonly url: string;
  /** The first that was asked for: which one the server chose matters to nobody. */
  readonly protocol: string;
  readonly extensions = '';
  binaryType: string = 'arraybuffer';
  readyState: 0 | 1 | 2 | 3 = 0;
  onopen: ((event: SocketEvent) => void) | null = null;
  onmessage: ((event: SocketEvent) => void) | null = null;
  onerror: ((event: SocketEvent) => void) | null = null;
  onclose: ((event: SocketEvent) => void) | null = null;

  readonly #link: Link;
  readonly #listeners: { name: EventName; listener: unknown; run: (event: SocketEvent) => void; once: boolean }[] = [];
  #waiting: (() => void)[] = [];

  constructor(url: string | { toString(): string }, protocols: string | string[] = [], options: Options = {}) {
    this.url = String(url);
    const asked = typeof protocols === 'string' ? [protocols] : protocols;
    this.protocol = asked[0] ?? '';
    this.#link = new Link(this.url, asked, settingsOf(options), {
      ready: () => this.#ready(),
      delivered: (bytes) => this.#emit('message', { data: this.#dataOf(bytes) }),
      ended: (code, reason) => this.#ended(code, reason),
      progressed: () => this.#progressed(),
    });
  }

  get bufferedAmount(): number {
    return this.#link.bufferedBytes;
  }

  /** `done`, as in the package `ws`: called when more may be sent. */
  send(data: ArrayBuffer | ArrayBufferView, done?: () => void): void {
    if (this.readyState === 0) throw new Error('it is not open yet');
    const bytes = copyOf(data);
    if (this.readyState === 1) this.#link.write(bytes);
    if (done === undefined) return;
    this.#waiting.push(done);
    if (this.bufferedAmount <= BUFFERED_MAX_BYTES) Promise.resolve().then(() => this.#progressed());
  }

  close(code = 1000, reason = ''): void {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    this.#link.close(code, reason);
  }

  addEventListener(name: EventName, listener: Listener, options?: boolean | { once?: boolean }): void {
    if (this.#listeners.some((known) => known.name === name && known.listener === listener)) return;
    const run = typeof listener === 'function' ? listener : (event: SocketEvent) => listener.handleEvent(event);
    this.#listeners.push({ name, listener, run, once: typeof options === 'object' && options.once === true });
  }

  removeEventListener(name: EventName, listener: unknown): void {
    const at = this.#listeners.findIndex((known) => known.name === name && known.listener === listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  #ready(): void {
    // Its user may have closed it in the same turn.
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.#emit('open');
  }

  #ended(code: number, reason: string): void {
    const wasOpen = this.readyState !== 0;
    this.readyState = 3;
    if (code === 1006 || !wasOpen) this.#emit('error');
    this.#emit('close', { code, reason, wasClean: code !== 1006 });
  }

  #progressed(): void {
    if (this.#waiting.length === 0) return;
    if (this.readyState !== 3 && this.bufferedAmount > BUFFERED_MAX_BYTES) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }

  #emit(type: EventName, facts: Partial<SocketEvent> = {}): void {
    const event: SocketEvent = { type, target: this, data: undefined, code: 0, reason: '', wasClean: false, ...facts };
    this[`on${type}`]?.(event);
    for (const known of this.#listeners.filter(({ name }) => name === type)) {
      if (known.once) this.removeEventListener(type, known.listener);
      known.run(event);
    }
  }

  #dataOf(bytes: Uint8Array): unknown {
    const { buffer } = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
    return this.binaryType === 'blob' && typeof Blob === 'function' ? new Blob([buffer as ArrayBuffer]) : buffer;
  }
}

function copyOf(data: unknown): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  if (data instanceof ArrayBuffer) return new Uint8Array(data).slice();
  throw new TypeError('neither an ArrayBuffer nor a view of one');
}
