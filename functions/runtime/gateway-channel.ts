import type { EdgeChannel } from '../ports/channels.js';
import type { Clock } from '../ports/clock.js';
import { portErrorCode } from '../ports/errors.js';
import type { Gateway } from '../ports/gateway.js';
import type { Telemetry } from '../ports/telemetry.js';
import { TokenBucket } from './token-bucket.js';

export interface GatewayChannelLimits {
  /** Posts a second, of all connections: what is left of the account's quota for this worker. */
  gatewayPostsPerS: number;
  /** Posts under way at once, one of a connection at most. */
  gatewayPostsMax: number;
  /** Bytes unsent to one client above which QoS 0 is dropped for it. */
  sendBufferMaxBytes: number;
}

interface Parts {
  clock: Clock;
  telemetry: Telemetry;
  gateway: Gateway;
  /** The text of a frame; see `docs/PROTOCOL.md`. */
  frame: (counter: number, bytes: Uint8Array) => string;
  /** A connection cannot be reached any more. */
  lost: (clientId: string, connectionNumber: number) => void;
}

interface Connection {
  readonly clientId: string;
  readonly number: number;
  gatewayId: string;
  /** Since when the gateway knows it under this name, or earlier; milliseconds since the epoch. */
  sinceMs: number;
  /** Not in a frame yet. */
  waiting: Uint8Array[];
  waitingBytes: number;
  /** Taken by the gateway, or in doubt: then repeated under its number. */
  frame: string | null;
  frameBytes: number;
  counter: number;
  /** Of the client, the newest that was heard of, and when it or another was. */
  heardFrame: number;
  heardAtMs: number;
  readonly expiresAtMs: number;
  /** Whether it stands in line, is being posted, or waits for another try. */
  isBusy: boolean;
  delayMs: number;
  failingSinceMs: number | null;
}

/** Of a frame before base64: with it, 128 KB are not exceeded, above which the gateway answers 413. */
const FRAME_MAX_BYTES = 96_000;
const DRAINED_BYTES = 64 * 1024;
const DRAINED_LOOK_MS = 20;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
/** A connection whose frames are not taken for so long is given up. */
const GIVE_UP_MS = 30_000;
/** A connection that has just been made may not be known to the whole gateway. */
const NEW_MS = 3_000;

/**
 * Deliveries to connections that a gateway holds: what waits for one is joined into one frame, one of its frames is under way
 * at a time, and connections take turns. A frame in doubt is posted again under its number, by which the client knows it.
 */
export class GatewayChannel implements EdgeChannel {
  readonly #parts: Parts;
  readonly #limits: GatewayChannelLimits;
  readonly #bucket: TokenBucket;
  readonly #byClient = new Map<string, Connection>();
  readonly #line: Connection[] = [];
  #posting = 0;
  #cancelWait: (() => void) | null = null;

  constructor(parts: Parts, limits: GatewayChannelLimits) {
    this.#parts = parts;
    this.#limits = limits;
    this.#bucket = new TokenBucket(limits.gatewayPostsPerS, parts.clock.now());
  }

  get connectionCount(): number {
    return this.#byClient.size;
  }

  /** Where the connection with that number of a client is, from now on. */
  connected(clientId: string, connectionNumber: number, gatewayId: string, expiresAtMs = Infinity): void {
    const known = this.#byClient.get(clientId);
    if (known !== undefined && known.number > connectionNumber) return;
    const sinceMs = this.#parts.clock.now();
    if (known?.number === connectionNumber) return;
    this.#byClient.set(clientId, {
      clientId,
      number: connectionNumber,
      gatewayId,
      sinceMs,
      waiting: [],
      waitingBytes: 0,
      frame: null,
      frameBytes: 0,
      counter: 0,
      heardFrame: 0,
      heardAtMs: sinceMs,
      expiresAtMs,
      isBusy: false,
      delayMs: FIRST_DELAY_MS,
      failingSinceMs: null,
    });
  }

  /** The connection goes on under another name, said with that frame of the client. */
  moved(clientId: string, connectionNumber: number, gatewayId: string, frame: number): void {
    const connection = this.#byClient.get(clientId);
    if (connection?.number !== connectionNumber || connection.gatewayId === gatewayId) return;
    if (frame < connection.heardFrame) return;
    connection.gatewayId = gatewayId;
    connection.sinceMs = this.#parts.clock.now();
  }

  /** It is over: nothing more is delivered to it. */
  disconnected(clientId: string, connectionNumber: number): void {
    if (this.#byClient.get(clientId)?.number === connectionNumber) this.#byClient.delete(clientId);
  }

  /** A frame of the client has something for the shard; false where that was heard already, or the connection is not known. */
  hear(clientId: string, connectionNumber: number, frame: number): boolean {
    const connection = this.#byClient.get(clientId);
    if (connection?.number !== connectionNumber || frame <= connection.heardFrame) return false;
    connection.heardFrame = frame;
    this.heardAt(clientId, connectionNumber, this.#parts.clock.now());
    return true;
  }

  heardAt(clientId: string, connectionNumber: number, atMs: number): void {
    const connection = this.#byClient.get(clientId);
    if (connection?.number === connectionNumber) connection.heardAtMs = Math.max(connection.heardAtMs, atMs);
  }

  /** Connections of which nothing was heard since then. */
  silentSince(atMs: number): { clientId: string; number: number; gatewayId: string }[] {
    return [...this.#byClient.values()].filter(({ heardAtMs }) => heardAtMs < atMs);
  }

  /** Connections whose time is over. */
  expiredAt(nowMs: number): { clientId: string; number: number; gatewayId: string }[] {
    return [...this.#byClient.values()].filter(({ expiresAtMs }) => expiresAtMs <= nowMs);
  }

  /** A newer connection elsewhere has the client: the gateway's name of the one here; null where there is none. */
  takenOver(clientId: string, connectionNumber: number): string | null {
    const connection = this.#byClient.get(clientId);
    if (connection === undefined || connection.number >= connectionNumber) return null;
    this.#byClient.delete(clientId);
    return connection.gatewayId;
  }

  /** Whether the connection with that number is one of the gateway's. */
  has(clientId: string, connectionNumber: number): boolean {
    return this.#byClient.get(clientId)?.number === connectionNumber;
  }

  deliver(clientId: string, connectionNumber: number, bytes: Uint8Array, droppable: boolean): void {
    const connection = this.#byClient.get(clientId);
    if (connection?.number !== connectionNumber) return;
    const unsent = connection.waitingBytes + connection.frameBytes;
    if (droppable && unsent > this.#limits.sendBufferMaxBytes) {
      this.#parts.telemetry.count('publications-dropped-slow-client');
      return;
    }
    connection.waiting.push(bytes);
    connection.waitingBytes += bytes.length;
    this.#enter(connection);
  }

  async drained(clientId: string, connectionNumber: number): Promise<void> {
    for (;;) {
      const connection = this.#byClient.get(clientId);
      if (connection?.number !== connectionNumber) return;
      if (connection.waitingBytes + connection.frameBytes <= DRAINED_BYTES) return;
      await new Promise<void>((resume) => this.#parts.clock.after(DRAINED_LOOK_MS, resume));
    }
  }

  #enter(connection: Connection): void {
    if (connection.isBusy) return;
    connection.isBusy = true;
    this.#line.push(connection);
    // After all that this turn has for it.
    if (this.#line.length === 1 && this.#cancelWait === null) setImmediate(() => this.#go());
  }

  #go(): void {
    while (this.#line.length > 0 && this.#posting < this.#limits.gatewayPostsMax) {
      const connection = this.#line[0] as Connection;
      if (!this.#isHere(connection)) {
        this.#line.shift();
        continue;
      }
      const waitMs = this.#bucket.take(this.#parts.clock.now());
      if (waitMs > 0) {
        this.#parts.telemetry.count('gateway-posts-delayed');
        this.#cancelWait ??= this.#parts.clock.after(waitMs, () => {
          this.#cancelWait = null;
          this.#go();
        });
        return;
      }
      this.#line.shift();
      void this.#post(connection);
    }
  }

  async #post(connection: Connection): Promise<void> {
    const { gateway, telemetry } = this.#parts;
    this.#posting += 1;
    try {
      const frame = connection.frame ?? this.#nextFrame(connection);
      await gateway.post(connection.gatewayId, frame);
      telemetry.count('gateway-posts');
      connection.frame = null;
      connection.frameBytes = 0;
      connection.delayMs = FIRST_DELAY_MS;
      connection.failingSinceMs = null;
      connection.isBusy = false;
      if (connection.waitingBytes > 0) this.#enter(connection);
    } catch (error) {
      this.#failed(connection, error);
    } finally {
      this.#posting -= 1;
      this.#go();
    }
  }

  #nextFrame(connection: Connection): string {
    const all = Buffer.concat(connection.waiting, connection.waitingBytes);
    const bytes = all.subarray(0, FRAME_MAX_BYTES);
    const rest = all.subarray(FRAME_MAX_BYTES);
    connection.waiting = rest.length > 0 ? [rest] : [];
    connection.waitingBytes = rest.length;
    connection.counter += 1;
    connection.frame = this.#parts.frame(connection.counter, bytes);
    connection.frameBytes = bytes.length;
    return connection.frame;
  }

  #failed(connection: Connection, error: unknown): void {
    const { clock, telemetry, lost } = this.#parts;
    const now = clock.now();
    const code = portErrorCode(error);
    connection.failingSinceMs ??= now;
    telemetry.count(`gateway-posts-${code}`);
    const isNew = code === 'gone' && now - connection.sinceMs < NEW_MS;
    const mayCome = code === 'unavailable' || code === 'full' || isNew;
    if (!this.#isHere(connection)) return;
    if (mayCome && now - connection.failingSinceMs < GIVE_UP_MS) {
      const { delayMs } = connection;
      connection.delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS);
      clock.after(delayMs, () => {
        connection.isBusy = false;
        this.#enter(connection);
      });
      return;
    }
    if (code !== 'gone') {
      telemetry.log('warn', 'gateway-does-not-take', { client: connection.clientId, code, error: String(error) });
    }
    this.#byClient.delete(connection.clientId);
    lost(connection.clientId, connection.number);
  }

  #isHere(connection: Connection): boolean {
    return this.#byClient.get(connection.clientId) === connection;
  }
}
