import assert from 'node:assert/strict';
import { type Options, PulsegateSocket, type SocketEvent } from '../../functions/client/index.js';

export const TOKEN = 'r7.Zm9v';
export const CONNECT_3_1_1 = '101000044d5154540402003c000474657374';
export const CONNECT_5 = '101100044d5154540502003c00000474657374';
const CONNACK = '1:IAIAAA==';

/** A clock that only a test moves, and the timers of it. */
export class Clock {
  nowMs = 1_000_000;
  readonly #timers = new Map<number, { atMs: number; run: () => void }>();
  #last = 0;

  now = (): number => this.nowMs;

  setTimeout = (run: () => void, ms: number): number => {
    this.#last += 1;
    this.#timers.set(this.#last, { atMs: this.nowMs + ms, run });
    return this.#last;
  };

  clearTimeout = (timer: unknown): void => {
    this.#timers.delete(timer as number);
  };

  get timers(): number {
    return this.#timers.size;
  }

  /** All that is due in that time, one after the other; each has its turn to the end. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    for (;;) {
      await turn();
      const next = [...this.#timers].sort(([, one], [, other]) => one.atMs - other.atMs)[0];
      if (next === undefined || next[1].atMs > untilMs) break;
      this.#timers.delete(next[0]);
      this.nowMs = Math.max(this.nowMs, next[1].atMs);
      next[1].run();
    }
    this.nowMs = untilMs;
  }
}

/** A browser's WebSocket as the client half knows it; the test is its server and its network. */
export class ScriptedSocket {
  static all: ScriptedSocket[] = [];
  readonly url: string;
  readonly offered: string[];
  onopen: ((event: unknown) => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly sent: string[] = [];
  /** Code of the client half's close; null: it has not closed. */
  closed: number | null = null;

  constructor(url: string, offered: string[]) {
    this.url = url;
    this.offered = offered;
    ScriptedSocket.all.push(this);
  }

  send(text: string): void {
    assert.equal(typeof text, 'string');
    this.sent.push(text);
  }

  close(code: number): void {
    this.closed = code;
  }

  open(): void {
    this.onopen?.({});
  }

  say(data: unknown): void {
    this.onmessage?.({ data });
  }

  lose(code = 1006, reason = ''): void {
    this.onerror?.({});
    this.onclose?.({ code, reason });
  }
}

export interface Stage {
  clock: Clock;
  client: PulsegateSocket;
  events: SocketEvent[];
  /** The socket that was made last. */
  socket(): ScriptedSocket;
  write(hex: string): void;
  /** Hexadecimal, each message by itself. */
  read(): string[];
}

export function stage(options: Options = {}): Stage {
  ScriptedSocket.all = [];
  const clock = new Clock();
  const client = new PulsegateSocket('wss://example.test/mqtt?stage=1', ['mqtt'], {
    WebSocket: ScriptedSocket,
    clock,
    random: () => 0.5,
    ...options,
  });
  const events: SocketEvent[] = [];
  for (const name of ['open', 'message', 'error', 'close'] as const) {
    client.addEventListener(name, (event) => events.push(event));
  }
  return {
    clock,
    client,
    events,
    socket: () => ScriptedSocket.all.at(-1) as ScriptedSocket,
    write: (hex) => client.send(Buffer.from(hex, 'hex')),
    read: () =>
      events
        .filter(({ type }) => type === 'message')
        .map(({ data }) => Buffer.from(data as ArrayBuffer).toString('hex')),
  };
}

/** The same after CONNECT and CONNACK, with a token to resume unless told otherwise. */
export async function connected(connect = CONNECT_3_1_1, token = `;${TOKEN}`, options: Options = {}): Promise<Stage> {
  const made = stage(options);
  made.socket().open();
  made.write(connect);
  await turn();
  made.socket().say(`${CONNACK}${token}`);
  assert.deepEqual(made.read(), ['20020000']);
  return made;
}

/** Until every promise that is resolved has been heard. */
export function turn(): Promise<void> {
  return new Promise((resume) => setImmediate(resume));
}
