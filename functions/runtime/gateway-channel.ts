import type { EdgeChannel } from '../ports/channels.js';
import type { Clock } from '../ports/clock.js';
import { portErrorCode } from '../ports/errors.js';
import type { Gateway } from '../ports/gateway.js';
import type { Telemetry } from '../ports/telemetry.js';
import { GatewayPosts } from './gateway-posts.js';
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
  readonly posts: GatewayPosts;
  /** Of the client, the newest that was heard of, and when it or another was. */
  heardFrame: number;
  heardAtMs: number;
  readonly expiresAtMs: number;
  /** Whether it stands in line, is being posted, or waits for another try. */
  isBusy: boolean;
  delayMs: number;
  /** While it waits for another try. */
  cancelTry: (() => void) | null;
  failingSinceMs: number | null;
}

const DRAINED_BYTES = 64 * 1024;
const DRAINED_LOOK_MS = 20;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
/** A connection whose frames are not taken for so long is given up. */
const GIVE_UP_MS = 30_000;
/** A connection that the gateway does not know may be known in a moment, or go on under another name. */
const GONE_MS = 10_000;

/**
 * Deliveries to connections that a gateway holds: what waits for one is joined into one frame, one of its frames is under way
 * at a time, and connections take turns. A frame in doubt is posted again under its number, by which the client knows it.
 */
export class GatewayChannel implements Pick<EdgeChannel, 'deliver' | 'drained'> {
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
    if (known?.number === connectionNumber) return;
    this.#byClient.set(clientId, {
      clientId,
      number: connectionNumber,
      gatewayId,
      posts: new GatewayPosts(this.#parts.frame),
      heardFrame: 0,
      heardAtMs: this.#parts.clock.now(),
      expiresAtMs,
      isBusy: false,
      delayMs: FIRST_DELAY_MS,
      cancelTry: null,
      failingSinceMs: null,
    });
  }

  /**
   * The connection goes on under another name, said with that frame of the client, and `has` so many of the worker's. What it
   * misses is posted again; false: it misses more than is kept, and is not known any more.
   */
  moved(
    clientId: string,
    connectionNumber: number,
    { gatewayId, frame, has }: { gatewayId: string; frame: number; has: number },
  ): boolean {
    const connection = this.#byClient.get(clientId);
    if (connection?.number !== connectionNumber || connection.gatewayId === gatewayId) return true;
    if (frame < connection.heardFrame) return true;
    if (!connection.posts.repeatAfter(has)) {
      this.#byClient.delete(clientId);
      return false;
    }
    connection.gatewayId = gatewayId;
    connection.failingSinceMs = null;
    connection.delayMs = FIRST_DELAY_MS;
    if (connection.cancelTry !== null) this.#tryAgain(connection);
    else if (connection.posts.hasMore) this.#enter(connection);
    return true;
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
    if (droppable && connection.posts.unsentBytes > this.#limits.sendBufferMaxBytes) {
      this.#parts.telemetry.count('publications-dropped-slow-client');
      return;
    }
    connection.posts.add(bytes);
    this.#enter(connection);
  }

  async drained(clientId: string, connectionNumber: number): Promise<void> {
    for (;;) {
      const connection = this.#byClient.get(clientId);
      if (connection?.number !== connectionNumber) return;
      if (connection.posts.unsentBytes <= DRAINED_BYTES) return;
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
      const { gatewayId, posts } = connection;
      await gateway.post(gatewayId, posts.next());
      telemetry.count('gateway-posts');
      // Taken where the client does not listen any more, it is still to be posted where it does.
      if (gatewayId === connection.gatewayId) posts.taken();
      connection.delayMs = FIRST_DELAY_MS;
      connection.failingSinceMs = null;
      connection.isBusy = false;
      if (posts.hasMore) this.#enter(connection);
    } catch (error) {
      this.#failed(connection, error);
    } finally {
      this.#posting -= 1;
      this.#go();
    }
  }

  #failed(connection: Connection, error: unknown): void {
    const { clock, telemetry, lost } = this.#parts;
    const now = clock.now();
    const code = portErrorCode(error);
    connection.failingSinceMs ??= now;
    telemetry.count(`gateway-posts-${code}`);
    const mayComeBack = code === 'gone' && now - connection.failingSinceMs < GONE_MS;
    const mayCome = code === 'unavailable' || code === 'full' || mayComeBack;
    if (!this.#isHere(connection)) return;
    if (mayCome && now - connection.failingSinceMs < GIVE_UP_MS) {
      const { delayMs } = connection;
      connection.delayMs = Math.min(delayMs * 2, LONGEST_DELAY_MS);
      connection.cancelTry = clock.after(delayMs, () => this.#tryAgain(connection));
      return;
    }
    if (code !== 'gone') {
      telemetry.log('warn', 'gateway-does-not-take', { client: connection.clientId, code, error: String(error) });
    }
    this.#byClient.delete(connection.clientId);
    lost(connection.clientId, connection.number);
  }

  #tryAgain(connection: Connection): void {
    connection.cancelTry?.();
    connection.cancelTry = null;
    connection.isBusy = false;
    this.#enter(connection);
  }

  #isHere(connection: Connection): boolean {
    return this.#byClient.get(connection.clientId) === connection;
  }
}
