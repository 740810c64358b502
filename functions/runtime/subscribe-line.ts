import type { Read } from '../fan-out/effects.js';
import type { Shard } from '../fan-out/shard.js';
import type { SubscriptionRequest } from '../mqtt/packets.js';
import { REASON } from '../mqtt/reason-codes.js';
import type { Clock } from '../ports/clock.js';
import { PortError, type PortErrorCode, portErrorCode } from '../ports/errors.js';
import type { SubscribeAsked, UnsubscribeAsked } from '../ports/session-commands.js';
import type { Telemetry } from '../ports/telemetry.js';
import type { FilterRefused } from '../session/inputs.js';
import { filterProblem } from '../topics/names.js';
import type { LogReaders } from './log-readers.js';
import { Seldom } from './seldom.js';

type Asked = SubscribeAsked | UnsubscribeAsked;

interface Parts {
  clock: Clock;
  telemetry: Telemetry;
  readers: Pick<LogReaders, 'known' | 'ready' | 'whileComing'>;
  shard: Pick<Shard, 'command'>;
}

/** How long the log is tried to be read for a filter, before its SUBACK says that it cannot be. */
const READY_MAX_MS = 10_000;
const FIRST_DELAY_MS = 100;
/** SUBSCRIBE and UNSUBSCRIBE packets of one client that wait for the log. */
const WAITING_MAX = 1_000;
const SAID_EVERY_MS = 60_000;

/**
 * SUBSCRIBE is answered only once the log is read for its filters, so it may have to wait; what the client asks after it then
 * waits behind it.
 */
export class SubscribeLine {
  readonly #parts: Parts;
  readonly #seldom: Seldom;
  /** By client, while one waits. */
  readonly #waiting = new Map<string, Asked[]>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#seldom = new Seldom(parts.clock, SAID_EVERY_MS);
  }

  take(command: Asked): void {
    const { clientId } = command;
    const waiting = this.#waiting.get(clientId);
    if (waiting !== undefined) {
      if (waiting.length < WAITING_MAX) waiting.push(command);
      else this.#tell(command, () => busy());
      return;
    }
    if (this.#tryNow(command)) return;
    const line = [command];
    this.#waiting.set(clientId, line);
    void this.#run(clientId, line);
  }

  /** False where something has to be asked or opened first. */
  #tryNow(command: Asked): boolean {
    const { readers } = this.#parts;
    if (command.type === 'unsubscribe') {
      this.#tell(command);
      return true;
    }
    const reads: Read[] = [];
    for (const [index, { filter }] of command.subscriptions.entries()) {
      const partitions = isRead(command, index) ? readers.known(filter, command.from !== null) : [];
      if (partitions === null) return false;
      reads.push({ partitions });
    }
    this.#tell(command, (index) => reads[index] as Read);
    return true;
  }

  async #run(clientId: string, line: Asked[]): Promise<void> {
    for (let command = line[0]; command !== undefined; command = line[0]) {
      if (!this.#tryNow(command)) {
        const asked = command as SubscribeAsked;
        const { subscriptions } = asked;
        const filters = subscriptions.filter((_, index) => isRead(asked, index)).map(({ filter }) => filter);
        await this.#parts.readers.whileComing(filters, async () => {
          const reads = await Promise.all(subscriptions.map((_, index) => this.#read(asked, index)));
          this.#tell(asked, (index) => reads[index] as Read);
        });
      }
      line.shift();
    }
    this.#waiting.delete(clientId);
  }

  async #read(asked: SubscribeAsked, index: number): Promise<Read> {
    if (!isRead(asked, index)) return { partitions: [] };
    const { clientId, from } = asked;
    const { filter } = asked.subscriptions[index] as SubscriptionRequest;
    const { clock, readers, telemetry } = this.#parts;
    const giveUpAtMs = clock.now() + READY_MAX_MS;
    for (let delayMs = FIRST_DELAY_MS; ; delayMs *= 2) {
      try {
        return { partitions: await readers.ready(filter, from !== null) };
      } catch (error) {
        const mayCome = error instanceof PortError && error.retriable && error.code !== 'full';
        if (!mayCome || clock.now() + delayMs > giveUpAtMs) {
          telemetry.count('subscriptions-unreadable');
          const about = { client: clientId, filter, error: String(error) };
          if (this.#seldom.may('subscription-unreadable')) telemetry.log('warn', 'subscription-unreadable', about);
          return refusalOf(portErrorCode(error));
        }
      }
      await new Promise<void>((resume) => clock.after(delayMs, resume));
    }
  }

  #tell(command: Asked, read?: (index: number) => Read): void {
    const { shard, clock, telemetry } = this.#parts;
    const reads = command.type === 'subscribe' ? command.subscriptions.map((_, i) => read?.(i) ?? busy()) : undefined;
    try {
      shard.command(command, clock.now(), reads);
    } catch (defect) {
      telemetry.log('error', 'defect', { client: command.clientId, error: String(defect) });
    }
  }
}

/** What is refused whatever the log holds needs nothing of it. */
function isRead({ subscriptions, denied }: SubscribeAsked, index: number): boolean {
  const { filter } = subscriptions[index] as SubscriptionRequest;
  return !denied?.[index] && filterProblem(filter) === null;
}

function busy(): FilterRefused {
  return { reasonCode: REASON.quotaExceeded, text: `${WAITING_MAX} subscriptions wait already` };
}

/** Section 3.9.3. */
function refusalOf(code: PortErrorCode): FilterRefused {
  switch (code) {
    case 'refused':
      return { reasonCode: REASON.notAuthorized, text: 'Pulsar does not let us read what the filter needs' };
    case 'full':
      return { reasonCode: REASON.quotaExceeded, text: 'as many partitions are read as may be' };
    default:
      return { reasonCode: REASON.unspecifiedError, text: 'the log cannot be read now' };
  }
}
