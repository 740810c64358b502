import type { EdgeChannel } from '../ports/channels.js';
import type { Clock } from '../ports/clock.js';
import type { Log } from '../ports/log.js';
import type { Connected, SessionCommand } from '../ports/session-commands.js';
import type { PresenceRow } from '../ports/store.js';
import type { Telemetry } from '../ports/telemetry.js';
import { edgeTopic } from '../topics/command-topic.js';
import { Batches } from './batches.js';
import type { EdgeCommands } from './edge-commands.js';
import { slotOf } from './edge-name.js';
import { type EdgeOrder, toOrderRecord } from './edge-orders.js';
import { sayLost } from './lost-connection.js';
import type { Presence } from './presence.js';

/** What a shard has to know of the processes whose clients it has. */
export interface Edges {
  /** Names of the processes that hold a lease and take clients. */
  live(): string[];
  /** Whether a process of that name holds a lease. */
  isLive(edge: string): boolean;
}

export interface RemoteClientsParts {
  clock: Clock;
  telemetry: Telemetry;
  log: Log;
  presence: Presence;
  edges: Edges;
  /** Clients whose sockets this process holds itself. */
  local: EdgeChannel;
}

interface Connection {
  readonly number: number;
  readonly edge: string;
}

/** Not in the log yet, of one edge: above it, QoS 0 is dropped for its clients. */
const UNSENT_MAX_BYTES = 16 * 1024 * 1024;
/** A frame in pieces goes into several batches. */
const PIECE_BYTES = 256 * 1024;
const ORDER_BYTES = 64;

/** A shard's clients whose sockets other processes hold: what these tell through the log, and what their clients are sent through it. */
export class RemoteClients implements EdgeChannel {
  readonly #parts: RemoteClientsParts;
  readonly #from: { shard: number; epoch: number };
  readonly #tell: (command: SessionCommand) => void;
  readonly #byClient = new Map<string, Connection>();
  /** Edges of the last look. */
  #live: Set<string>;
  readonly #orders = new Map<string, Batches<EdgeOrder>>();
  /** By edge, the number of the newest batch that was heard. */
  readonly #heard = new Map<string, number>();
  readonly #draining = new Map<number, { clientId: string; number: number; resolve: () => void }>();
  #requests = 0;

  constructor(
    parts: RemoteClientsParts,
    options: { shard: number; epoch: number; tell: (command: SessionCommand) => void },
  ) {
    this.#parts = parts;
    this.#from = { shard: options.shard, epoch: options.epoch };
    this.#tell = options.tell;
    this.#live = new Set(parts.edges.live());
  }

  /** What the clients of an edge have for the shard; `connected` is told of each that comes. */
  hear(
    { edge, number, commands }: EdgeCommands,
    connected: (clientId: string, connectionNumber: number) => void,
  ): void {
    const before = this.#heard.get(edge) ?? 0;
    if (number <= before) return;
    this.#heard.set(edge, number);
    for (const command of commands) {
      const { clientId, connectionNumber } = command;
      if (command.type === 'drained') {
        this.#drained(command.request);
        continue;
      }
      if (command.type === 'connected') {
        connected(clientId, connectionNumber);
        this.#connected(clientId, { number: connectionNumber, edge });
      } else if (!this.has(clientId, connectionNumber)) {
        // It was made for an owner before this one, or for nobody: its client has to come again.
        if (command.type !== 'disconnected') this.#order(edge, { type: 'come-again', clientId, connectionNumber });
        continue;
      }
      if (command.type === 'disconnected') this.#gone(clientId, connectionNumber);
      this.#tell(command);
    }
  }

  /** A row says that somebody is connected since before this owner came: its client has to come again. */
  left({ edge, clientId, connectionNumber }: PresenceRow): void {
    if (slotOf(edge) !== null && this.#parts.edges.isLive(edge)) {
      this.#order(edge, { type: 'come-again', clientId, connectionNumber });
    }
  }

  /**
   * Clients of processes that are no more have lost their connections, those too of which such a process did not live to tell.
   * Resolves when all that the shard has to know is said.
   */
  async look(): Promise<void> {
    const { edges, presence } = this.#parts;
    const gone = [...this.#live].filter((edge) => !edges.isLive(edge));
    this.#live = new Set(edges.live());
    if (gone.length === 0) return;
    for (const edge of gone) {
      this.#orders.get(edge)?.close();
      this.#orders.delete(edge);
      this.#heard.delete(edge);
    }
    const { shard } = this.#from;
    await presence.connected(shard, (row) => {
      if (!gone.includes(row.edge)) return;
      if (!this.has(row.clientId, row.connectionNumber)) this.#tell(connectedAs(row));
      this.#lost(row.clientId, row.connectionNumber);
    });
    for (const [clientId, { number, edge }] of [...this.#byClient])
      if (gone.includes(edge)) this.#lost(clientId, number);
  }

  #lost(clientId: string, connectionNumber: number): void {
    this.#parts.telemetry.count('edge-connections-lost');
    this.#gone(clientId, connectionNumber);
    void sayLost({ ...this.#parts, tell: this.#tell }, clientId, connectionNumber);
  }

  has(clientId: string, connectionNumber: number): boolean {
    return this.#byClient.get(clientId)?.number === connectionNumber;
  }

  deliver(clientId: string, connectionNumber: number, bytes: Uint8Array, droppable: boolean): void {
    const connection = this.#byClient.get(clientId);
    if (connection?.number !== connectionNumber) {
      return this.#parts.local.deliver(clientId, connectionNumber, bytes, droppable);
    }
    const { edge } = connection;
    if (droppable && (this.#orders.get(edge)?.waitingBytes ?? 0) > UNSENT_MAX_BYTES) {
      this.#parts.telemetry.count('publications-dropped-slow-edge');
      return;
    }
    const isWhole = bytes.length <= PIECE_BYTES;
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      const piece = isWhole ? bytes : bytes.subarray(start, start + PIECE_BYTES);
      // Of a frame in pieces none may be missing.
      this.#order(edge, { type: 'deliver', clientId, connectionNumber, bytes: piece, droppable: droppable && isWhole });
    }
  }

  drained(clientId: string, connectionNumber: number): Promise<void> {
    const connection = this.#byClient.get(clientId);
    if (connection?.number !== connectionNumber) return this.#parts.local.drained(clientId, connectionNumber);
    this.#requests += 1;
    const request = this.#requests;
    this.#order(connection.edge, { type: 'say-drained', clientId, connectionNumber, request });
    return new Promise((resolve) => this.#draining.set(request, { clientId, number: connectionNumber, resolve }));
  }

  takenOver(clientId: string, connectionNumber: number): void {
    const connection = this.#byClient.get(clientId);
    if (connection !== undefined && connection.number < connectionNumber) {
      this.#order(connection.edge, { type: 'taken-over', clientId, connectionNumber });
      this.#gone(clientId, connection.number);
    }
    this.#parts.local.takenOver(clientId, connectionNumber);
  }

  comeAgain(clientId: string, connectionNumber: number): void {
    const connection = this.#byClient.get(clientId);
    if (connection?.number !== connectionNumber) return this.#parts.local.comeAgain(clientId, connectionNumber);
    this.#order(connection.edge, { type: 'come-again', clientId, connectionNumber });
    this.#gone(clientId, connectionNumber);
  }

  close(): void {
    for (const orders of this.#orders.values()) orders.close();
    for (const { resolve } of this.#draining.values()) resolve();
  }

  #connected(clientId: string, connection: Connection): void {
    const known = this.#byClient.get(clientId);
    if (known !== undefined && known.number >= connection.number) return;
    this.takenOver(clientId, connection.number);
    this.#byClient.set(clientId, connection);
  }

  #gone(clientId: string, connectionNumber: number): void {
    if (this.has(clientId, connectionNumber)) this.#byClient.delete(clientId);
    for (const [request, one] of this.#draining) {
      if (one.clientId === clientId && one.number === connectionNumber) this.#drained(request);
    }
  }

  #drained(request: number): void {
    this.#draining.get(request)?.resolve();
    this.#draining.delete(request);
  }

  #order(edge: string, order: EdgeOrder): void {
    const orders = this.#orders.get(edge) ?? this.#ordersTo(edge);
    orders?.add(order);
  }

  #ordersTo(edge: string): Batches<EdgeOrder> | undefined {
    const slot = slotOf(edge);
    if (slot === null) return undefined;
    const from = this.#from;
    const orders = new Batches<EdgeOrder>({
      ...this.#parts,
      topic: edgeTopic(slot),
      toRecord: (number, items) => toOrderRecord({ to: edge, from, number, orders: items }),
      bytesOf: (order) => ORDER_BYTES + (order.type === 'deliver' ? order.bytes.length : 0),
      failed: (items) => this.#notOrdered(edge, items),
    });
    this.#orders.set(edge, orders);
    return orders;
  }

  /** Of what a client was to get nothing may be missing: it has to come again. */
  #notOrdered(edge: string, orders: readonly EdgeOrder[]): void {
    const clients = new Map(orders.map(({ clientId, connectionNumber }) => [clientId, connectionNumber]));
    for (const [clientId, number] of clients) {
      if (!this.has(clientId, number)) continue;
      if (this.#parts.edges.isLive(edge)) this.#order(edge, { type: 'come-again', clientId, connectionNumber: number });
      this.#lost(clientId, number);
    }
  }
}

/** What an edge would have told that did not live to: nothing is sent on such a connection, so that what its client takes is all one. */
function connectedAs({
  clientId,
  connectionNumber,
  generation,
  sessionExpiryS,
  will,
  leftWills,
}: PresenceRow): Connected {
  const takes = {
    level: 5,
    receiveMaximum: 1,
    packetMaxBytes: null,
    wantsReasons: false,
    topicAliasMaximum: 0,
  } as const;
  return { type: 'connected', clientId, connectionNumber, generation, sessionExpiryS, will, leftWills, ...takes };
}
