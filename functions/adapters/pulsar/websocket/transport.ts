import { randomBytes } from 'node:crypto';
import { PortError } from '../../../ports/errors.js';
import type { Position } from '../../../ports/log.js';
import { encodeMessageId, messageIdOf } from '../message-id.js';
import type { PulsarSettings } from '../options.js';
import { topicPath } from '../topic-names.js';
import type { Source, Start, Transport, TransportProducer } from '../transport.js';
import type { Sizes, WebService } from '../web-service.js';
import { openConnection } from './connection.js';
import { WebSocketProducer } from './producer.js';
import { AHEAD_MAX, WebSocketSource } from './source.js';

/** How long Pulsar collects a batch; and our receipts wait for that. */
const BATCH_DELAY_MS = 1;
/** How much longer than Pulsar's own deadline an answer may take to come back. */
const ANSWER_SLACK_MS = 1_000;

/** Pulsar's own WebSocket API: JSON and base64, a connection for each producer and reader, and no native addon. */
export class WebSocketTransport implements Transport {
  readonly #origin: string;
  readonly #web: WebService;
  readonly #settings: PulsarSettings;
  /** Says which process a producer belongs to. */
  readonly #name = `pulsegate-${randomBytes(6).toString('hex')}`;
  readonly #conflicts = new Map<string, { sinceMs: number; renamed: number }>();
  #sizes: Promise<Sizes> | undefined;

  /** `origin` is `ws://host:port` or `wss://host:port`. */
  constructor(origin: string, web: WebService, settings: PulsarSettings) {
    this.#origin = origin;
    this.#web = web;
    this.#settings = settings;
  }

  async openProducer(topic: string, onLost: () => void): Promise<TransportProducer> {
    this.#sizes ??= this.#web.sizes();
    await this.#web.partitionsToWrite(topic);
    const sendTimeoutMs = Math.ceil(this.#settings.appendDeadlineMs / 2);
    const limits = { ...(await this.#sizes), answerDeadlineMs: sendTimeoutMs + ANSWER_SLACK_MS };
    const query = {
      // The broker takes a name once: our next producer cannot begin while something of the last can still arrive.
      producerName: this.#producerName(topic),
      hashingScheme: 'JavaStringHash',
      batchingEnabled: 'true',
      batchingMaxPublishDelay: String(BATCH_DELAY_MS),
      batchingMaxMessages: '1000',
      maxPendingMessages: String(this.#settings.inFlightMax * 2),
      sendTimeoutMillis: String(sendTimeoutMs),
    };
    const opening = openConnection(this.#origin, `producer/${topicPath(topic)}`, query, this.#settings);
    const connection = await opening.catch((error: unknown) => this.#failed(topic, error));
    return new WebSocketProducer(topic, connection, limits, onLost);
  }

  async openSource(partition: string, start: Start, name: string | undefined): Promise<Source> {
    if (name !== undefined) await this.#web.keepFor(partition, name);
    const query = { messageId: startText(start), receiverQueueSize: String(AHEAD_MAX) };
    const connection = await openConnection(this.#origin, `reader/${topicPath(partition)}`, query, this.#settings);
    return new WebSocketSource(partition, connection, async (position: Position) => {
      if (name !== undefined) await this.#web.letGo(partition, name, messageIdOf(position));
    });
  }

  async close(): Promise<void> {}

  #producerName(topic: string): string {
    const renamed = this.#conflicts.get(topic)?.renamed ?? 0;
    return renamed === 0 ? this.#name : `${this.#name}-${renamed}`;
  }

  /**
   * Pulsar may take minutes to notice that a connection has died silently, and holds its producer's name until then. What
   * that one had received has passed its deadline sooner: then another name does.
   */
  #failed(topic: string, error: unknown): never {
    if (error instanceof PortError && error.code === 'conflict') {
      const now = performance.now();
      const conflict = this.#conflicts.get(topic) ?? { sinceMs: now, renamed: 0 };
      const isOver = now - conflict.sinceMs > this.#settings.appendDeadlineMs;
      this.#conflicts.set(topic, isOver ? { sinceMs: now, renamed: conflict.renamed + 1 } : conflict);
    }
    throw error;
  }
}

/** A reader begins after the id that it is given. */
function startText(start: Start): string {
  if (start === 'earliest') return start;
  const { ledgerId, entryId } = start;
  return encodeMessageId({ ledgerId, entryId: entryId - 1, partition: -1, batchIndex: 0 }).toString('base64');
}
