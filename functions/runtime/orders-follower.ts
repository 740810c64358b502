import type { EdgeChannel } from '../ports/channels.js';
import type { Clock } from '../ports/clock.js';
import type { Log, LogEntry, LogReader } from '../ports/log.js';
import type { Telemetry } from '../ports/telemetry.js';
import { edgeTopic } from '../topics/command-topic.js';
import type { Drained } from './edge-commands.js';
import { slotOf } from './edge-name.js';
import { type EdgeOrder, type EdgeOrders, fromOrderRecord } from './edge-orders.js';
import { Seldom } from './seldom.js';

interface Parts {
  clock: Clock;
  telemetry: Telemetry;
  log: Log;
  /** This process, as presence rows name it. */
  self: string;
  edge: EdgeChannel;
  answer: (drained: Drained) => void;
  /** Told when nothing more will come. */
  failed: (error: unknown) => void;
}

const READ_RECORDS = 1_000;
const SAID_EVERY_MS = 3_600_000;
/** How often the log is told that it may trim. */
const TRIM_EVERY_MS = 1_000;

/** Hears what shards elsewhere have for the clients of this process, beginning with what they say from now on. */
export class OrdersFollower {
  readonly #parts: Parts;
  readonly #readers: LogReader[];
  readonly #seldom: Seldom;
  /** By shard, the highest epoch that was heard of and the newest of its owner's batches. */
  readonly #heard = new Map<number, { epoch: number; number: number }>();
  readonly #loops: Promise<unknown>;
  #isClosing = false;

  /** Resolves when what is said from then on will be heard. */
  static async open(parts: Parts): Promise<OrdersFollower> {
    const topic = edgeTopic(slotOf(parts.self) ?? 0);
    const partitions = await parts.log.partitions(topic);
    const readers = await Promise.all(
      partitions.map((partition) => parts.log.read(partition, 'latest', { name: 'pulsegate-edge' })),
    );
    return new OrdersFollower(parts, readers);
  }

  private constructor(parts: Parts, readers: LogReader[]) {
    this.#parts = parts;
    this.#readers = readers;
    this.#seldom = new Seldom(parts.clock, SAID_EVERY_MS);
    this.#loops = Promise.all(readers.map((reader) => this.#follow(reader)));
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#readers.map((reader) => reader.close()));
    await this.#loops;
  }

  async #follow(reader: LogReader): Promise<void> {
    const { clock, failed, telemetry } = this.#parts;
    let trimmedAtMs = clock.now();
    try {
      while (!this.#isClosing) {
        const entries = await reader.read(READ_RECORDS);
        for (const entry of entries) this.#take(entry);
        const last = entries.at(-1);
        if (last === undefined || clock.now() - trimmedAtMs < TRIM_EVERY_MS) continue;
        trimmedAtMs = clock.now();
        // The next one says as much and more.
        await reader.acknowledge(last.position).catch((error: unknown) => {
          telemetry.log('warn', 'orders-not-acknowledged', { error: String(error) });
        });
      }
    } catch (error) {
      if (!this.#isClosing) failed(error);
    }
  }

  #take({ record, partition, position }: LogEntry): void {
    const { telemetry, self } = this.#parts;
    const orders = fromOrderRecord(record);
    if ('problem' in orders) {
      telemetry.count('orders-skipped');
      const { problem } = orders;
      if (this.#seldom.may(problem)) telemetry.log('warn', 'orders-skipped', { partition, position, problem });
      return;
    }
    if (orders.to !== self || !this.#isNew(orders)) return;
    for (const order of orders.orders) {
      // A defect that one order brings out is not the others'.
      try {
        this.#obey(order);
      } catch (defect) {
        telemetry.log('error', 'defect', { client: order.clientId, error: String(defect) });
      }
    }
  }

  /** A shard's former owner has nothing to say any more, and what was in doubt comes twice. */
  #isNew({ from, number }: EdgeOrders): boolean {
    if (from === null) return true;
    const heard = this.#heard.get(from.shard);
    if (heard !== undefined && (from.epoch < heard.epoch || (from.epoch === heard.epoch && number <= heard.number))) {
      return false;
    }
    this.#heard.set(from.shard, { epoch: from.epoch, number });
    return true;
  }

  #obey(order: EdgeOrder): void {
    const { edge, answer } = this.#parts;
    const { clientId, connectionNumber } = order;
    switch (order.type) {
      case 'deliver':
        return edge.deliver(clientId, connectionNumber, order.bytes, order.droppable);
      case 'taken-over':
        return edge.takenOver(clientId, connectionNumber);
      case 'come-again':
        return edge.comeAgain(clientId, connectionNumber);
      case 'say-drained': {
        const { request } = order;
        return void edge
          .drained(clientId, connectionNumber)
          .then(() => answer({ type: 'drained', clientId, connectionNumber, request }));
      }
    }
  }
}
