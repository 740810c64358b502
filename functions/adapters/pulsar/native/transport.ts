import { randomBytes } from 'node:crypto';
import { PortError } from '../../../ports/errors.js';
import type { Position } from '../../../ports/log.js';
import { atMost } from '../at-most.js';
import { encodeMessageId, messageIdOf } from '../message-id.js';
import type { PulsarSettings } from '../options.js';
import type { Source, Start, Transport, TransportProducer } from '../transport.js';
import type { Sizes, WebService } from '../web-service.js';
import {
  loadNative,
  type NativeClient,
  type NativeConsumer,
  type NativeMessageId,
  type NativeModule,
  nativeProblem,
} from './client.js';
import { NativeConsumerSource } from './consumer-source.js';
import { type NativePartition, NativeTopicProducer } from './producer.js';
import { NativeReceipts } from './receipts.js';
import { RecentByPartition } from './recent-appends.js';

/** Batches end with the turn of the event loop that began them; this is for a turn that takes long. */
const BATCH_DELAY_MS = 10;
const BATCH_MESSAGES_MAX = 1_000;
const BATCH_MAX_BYTES = 128 * 1024;
const RECEIVE_MESSAGES_MAX = 1_000;
const RECEIVE_MAX_BYTES = 1024 * 1024;
/** How long a batch that is not full is waited for. */
const RECEIVE_WAIT_MS = 1;
/** Names of subscriptions that are to go when their source closes. */
const PASSING_PREFIX = 'pulsegate-passing-';
const LOOKED_AT_MAX = 10_000;
const OPERATION_DEADLINE_S = 15;
const CLOSE_MAX_MS = 2_000;
/** Of `pulsar-client`: nothing but errors. */
const LOG_LEVEL_ERROR = 3;

/** Pulsar's own protocol, by the native addon `pulsar-client`. One client serves the whole log. */
export class NativeTransport implements Transport {
  readonly #module: NativeModule;
  /** Whatever was made from it closes when it is collected. */
  readonly #client: NativeClient;
  readonly #web: WebService;
  readonly #settings: PulsarSettings;
  readonly #recent = new RecentByPartition();
  /** Partitions where nothing of an earlier process is left. */
  readonly #lookedAt = new Set<string>();
  #sizes: Promise<Sizes> | undefined;

  /** Throws `refused` where the addon does not load. */
  constructor(web: WebService, settings: PulsarSettings) {
    this.#module = loadNative();
    this.#client = new this.#module.Client(clientConfig(this.#module, settings));
    this.#web = web;
    this.#settings = settings;
  }

  async openProducer(topic: string, onLost: () => void): Promise<TransportProducer> {
    this.#sizes ??= this.#web.sizes();
    const { messageMaxBytes } = await this.#sizes;
    const partitions = await this.#createProducers(topic, await this.#web.partitionsToWrite(topic));
    const look = async (count: number) => {
      return this.#createProducers(topic, (await this.#web.partitions(topic, false)).slice(count));
    };
    return new NativeTopicProducer(topic, partitions, messageMaxBytes, look, onLost);
  }

  async openSource(partition: string, start: Start, name: string | undefined): Promise<Source> {
    try {
      return name === undefined ? await this.#pass(partition, start) : await this.#subscribe(partition, start, name);
    } catch (error) {
      throw error instanceof PortError ? error : nativeProblem(partition, error);
    }
  }

  async close(): Promise<void> {
    await this.#client.close().catch(() => {});
  }

  /** All of them or none. */
  async #createProducers(topic: string, names: readonly string[]): Promise<readonly NativePartition[]> {
    const opened = await Promise.allSettled(names.map((name) => this.#createProducer(name)));
    const partitions = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = opened.find((one) => one.status === 'rejected');
    if (failed === undefined) return partitions;
    await Promise.allSettled(partitions.map(({ producer }) => producer.close()));
    throw nativeProblem(topic, failed.reason);
  }

  async #createProducer(name: string): Promise<NativePartition> {
    const producer = await this.#client.createProducer({
      topic: name,
      batchingEnabled: true,
      batchingMaxPublishDelayMs: BATCH_DELAY_MS,
      batchingMaxMessages: BATCH_MESSAGES_MAX,
      batchingMaxAllowedSizeInBytes: BATCH_MAX_BYTES,
      maxPendingMessages: this.#settings.inFlightMax * 2,
      blockIfQueueFull: false,
      sendTimeoutMs: Math.ceil(this.#settings.appendDeadlineMs / 2),
    });
    return { producer, receipts: new NativeReceipts(name, this.#recent) };
  }

  /** The subscription's own place only trims: where reading begins is for the caller to say. */
  async #subscribe(partition: string, start: Start, name: string): Promise<Source> {
    const consumer = await this.#consumer(partition, name);
    try {
      await consumer.seek(this.#before(start));
    } catch (error) {
      // It would keep the subscription from every other, ours too.
      await atMost(CLOSE_MAX_MS, consumer.close());
      throw error;
    }
    const trim = async (position: Position) => {
      await consumer.acknowledgeCumulativeId(this.#before(messageIdOf(position)));
    };
    return new NativeConsumerSource(partition, consumer, { trim, recent: this.#recent });
  }

  /**
   * With a subscription that goes when the source closes. Not the client's reader: each of its `readNext` holds a thread of
   * Node's pool until a message comes and takes the process down when it fails, and its listener loses what arrives before
   * the reader is known to it. Nor `seek`, which connects the consumer anew and takes 100 ms.
   */
  async #pass(partition: string, start: Start): Promise<Source> {
    await this.#dropAbandoned(partition);
    const name = `${PASSING_PREFIX}${randomBytes(8).toString('hex')}`;
    // It would keep all that comes from being trimmed: what cannot be removed now is with the next one.
    const left = () => this.#lookedAt.delete(partition);
    try {
      await this.#web.keepFor(partition, name, start);
      return new NativeConsumerSource(partition, await this.#consumer(partition, name), { left });
    } catch (error) {
      left();
      await this.#web.forget(partition, name).catch(() => {});
      throw error;
    }
  }

  #consumer(partition: string, name: string): Promise<NativeConsumer> {
    return this.#client.subscribe({
      topic: partition,
      subscription: name,
      subscriptionType: 'Exclusive',
      subscriptionInitialPosition: 'Earliest',
      receiverQueueSize: RECEIVE_MESSAGES_MAX,
      batchReceivePolicy: {
        maxNumMessages: RECEIVE_MESSAGES_MAX,
        maxNumBytes: RECEIVE_MAX_BYTES,
        timeoutMs: RECEIVE_WAIT_MS,
      },
    });
  }

  /** What a crash left would keep everything from being trimmed. */
  async #dropAbandoned(partition: string): Promise<void> {
    if (this.#lookedAt.has(partition)) return;
    if (this.#lookedAt.size >= LOOKED_AT_MAX) this.#lookedAt.clear();
    this.#lookedAt.add(partition);
    await this.#web.dropUnused(partition, PASSING_PREFIX);
  }

  /** The entry before: all of the batch at `start` is to come. */
  #before(start: Start): NativeMessageId {
    if (start === 'earliest') return this.#module.MessageId.earliest();
    const { ledgerId, entryId } = start;
    const id = { ledgerId, entryId: entryId - 1, partition: -1, batchIndex: 0 };
    return this.#module.MessageId.deserialize(encodeMessageId(id));
  }
}

function clientConfig(native: NativeModule, settings: PulsarSettings): Record<string, unknown> {
  const { url, token, tokenFile, tokenSource, oauth2, tls, tell, authorization } = settings;
  return {
    serviceUrl: url,
    operationTimeoutSeconds: OPERATION_DEADLINE_S,
    ...((tokenFile !== undefined || tokenSource) && {
      authentication: new native.AuthenticationToken({ token: () => authorization.token() }),
    }),
    ...(token !== undefined && { authentication: new native.AuthenticationToken({ token }) }),
    ...(oauth2 && {
      authentication: new native.AuthenticationOauth2({
        type: 'client_credentials',
        issuer_url: oauth2.issuerUrl,
        private_key: oauth2.credentialsFile,
        ...(oauth2.audience !== undefined && { audience: oauth2.audience }),
        ...(oauth2.scope !== undefined && { scope: oauth2.scope }),
      }),
    }),
    ...(tls?.caFile !== undefined && { tlsTrustCertsFilePath: tls.caFile }),
    ...(tls?.certFile !== undefined && { tlsCertificateFilePath: tls.certFile }),
    ...(tls?.keyFile !== undefined && { tlsPrivateKeyFilePath: tls.keyFile }),
    tlsValidateHostname: true,
    logLevel: LOG_LEVEL_ERROR,
    log: (_level: number, _file: string, _line: number, message: string) => tell('warn', 'pulsar-client', { message }),
  };
}
