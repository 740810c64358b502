import { Conversation } from './conversation.js';
import type { TextSocket } from './link.js';
import { platformTimers, type Timers } from './timers.js';

type EventName = 'open' | 'message' | 'error' | 'close';

/** As much of an event as clients of MQTT look at. */
export interface SocketEvent {
  type: EventName;
  target: PulsegateSocket;
  data?: ArrayBuffer;
  code?: number;
  reason?: string;
  wasClean?: boolean;
}

type Listener = ((event: never) => void) | { handleEvent(event: never): void };

export interface PulsegateSocketOptions {
  /** Opens a WebSocket; left out: the platform's. */
  open?: (url: string, protocols: string[]) => TextSocket;
  timers?: Timers;
}

/** Of the dialect. */
const VERSION = '1';

/**
 * A WebSocket, as far as clients of MQTT can tell, that speaks to Pulsegate behind API Gateway, where frames are text, come one
 * at a time, and a connection ends after two hours without the client noticing. `docs/PROTOCOL.md`
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
  readonly extensions = '';
  protocol = '';
  binaryType = 'arraybuffer';
  readyState = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  readonly #listeners = new Map<EventName, Set<Listener>>();
  readonly #conversation: Conversation;

  constructor(url: string, protocols: string | string[] = ['mqtt'], options: PulsegateSocketOptions = {}) {
    const asked = typeof protocols === 'string' ? [protocols] : protocols;
    const open = options.open ?? platformSocket;
    this.url = url;
    this.#conversation = new Conversation({
      connect: (resumes) => open(withQuery(url, resumes), asked),
      timers: options.timers ?? platformTimers,
      events: {
        opened: () => {
          this.protocol = asked[0] ?? '';
          this.readyState = this.OPEN;
          this.#tell({ type: 'open', target: this });
        },
        received: (bytes) => {
          // Of its own, as the platform's: what gets it may keep it.
          const data = bytes.slice().buffer as ArrayBuffer;
          this.#tell({ type: 'message', target: this, data });
        },
        closed: (code, reason) => {
          const wasOpening = this.readyState === this.CONNECTING;
          this.readyState = this.CLOSED;
          if (wasOpening) this.#tell({ type: 'error', target: this });
          this.#tell({ type: 'close', target: this, code, reason, wasClean: code === 1000 });
        },
      },
    });
  }

  get bufferedAmount(): number {
    return this.#conversation.unanswered;
  }

  send(data: ArrayBuffer | ArrayBufferView): void {
    if (this.readyState === this.CONNECTING) throw new Error('the socket is not open yet');
    const bytes = ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data);
    this.#conversation.write(bytes);
  }

  close(): void {
    if (this.readyState >= this.CLOSING) return;
    this.readyState = this.CLOSING;
    this.#conversation.close();
  }

  addEventListener(type: EventName, listener: Listener): void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
  }

  removeEventListener(type: EventName, listener: Listener): void {
    this.#listeners.get(type)?.delete(listener);
  }

  #tell(event: SocketEvent): void {
    this[`on${event.type}`]?.(event as never);
    for (const listener of [...(this.#listeners.get(event.type) ?? [])]) {
      if (typeof listener === 'function') listener(event as never);
      else listener.handleEvent(event as never);
    }
  }
}

function platformSocket(url: string, protocols: string[]): TextSocket {
  return new WebSocket(url, protocols) as unknown as TextSocket;
}

/** Without `URL`, of which React Native has only a part. */
function withQuery(url: string, resumes: string | null): string {
  const query = `v=${VERSION}${resumes === null ? '' : `&resume=${encodeURIComponent(resumes)}`}`;
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}
