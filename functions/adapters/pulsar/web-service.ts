import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { PortError } from '../../ports/errors.js';
import type { Position } from '../../ports/log.js';
import { httpProblem, UNAUTHORIZED } from './http-problem.js';
import { type MessageId, positionOf } from './message-id.js';
import type { AuthorizationHeader, PulsarSettings } from './options.js';
import { authorized, tlsMaterial } from './secure.js';
import { fullTopicName, partitionNames, shortTopicName, topicPath } from './topic-names.js';
import type { Start } from './transport.js';

const CONNECTIONS_MAX = 8;
const ANSWER_DEADLINE_MS = 15_000;
const EARLIEST = { ledgerId: -1, entryId: -1 };

/** Pulsar's defaults, for where it does not say: bytes of a message, and of a frame of its WebSocket API. */
const DEFAULT_SIZES = { messageMaxBytes: 5 * 1024 * 1024, frameMaxBytes: 1024 * 1024 };

export interface Sizes {
  messageMaxBytes: number;
  frameMaxBytes: number;
}

/** What is looked at of a namespace's policies, as Pulsar's web service has them. What is absent, the broker decides. */
export interface NamespacePolicies {
  retention_policies?: { retentionTimeInMinutes: number; retentionSizeInMB: number };
  message_ttl_in_seconds?: number;
  backlog_quota_map?: Readonly<Record<string, { policy: string }>>;
  autoTopicCreationOverride?: { allowAutoTopicCreation: boolean };
  deduplicationEnabled?: boolean;
  subscription_expiration_time_minutes?: number;
}

/** Settings of the broker by name. */
export type BrokerSettings = Readonly<Record<string, string | undefined>>;

interface Answer {
  status: number;
  body: string;
}

/** Pulsar's REST API: what there is, where it ends, and how far it may be trimmed. Needs no more than the right to consume. */
export class WebService {
  readonly #origin: URL;
  readonly #settings: PulsarSettings;
  readonly #agent: HttpAgent;

  /** `origin` is `http://host:port` or `https://host:port`. */
  constructor(origin: string, settings: PulsarSettings) {
    this.#origin = new URL(origin);
    this.#settings = settings;
    const options = { keepAlive: true, maxSockets: CONNECTIONS_MAX };
    this.#agent =
      this.#origin.protocol === 'https:'
        ? new HttpsAgent({ ...options, ...tlsMaterial(settings.tls) })
        : new HttpAgent(options);
  }

  /** One request where the topic is there; else it is made, if `make` and its description allow it, or there is none. */
  async partitions(topic: string, make: boolean): Promise<readonly string[]> {
    const name = fullTopicName(topic, this.#settings.namespace);
    const path = `${topicPath(name)}/partitions`;
    const answer = await this.#ask('GET', path);
    if (answer.status !== 404) return partitionNames(name, countOf(this.#parse(answer, name)));
    const { describe, namespace } = this.#settings;
    const description = describe(topic) ?? describe(shortTopicName(name, namespace));
    const { mayBeMade, partitions } = description ?? { mayBeMade: true, partitions: null };
    if (!make || !mayBeMade) return [];
    // The broker makes it, as its policy says, with the first that asks so or that produces.
    if (partitions === null) {
      const created = await this.#ask('GET', `${path}?checkAllowAutoCreation=true`);
      if (created.status === 404) throw notMade(name, `the namespace does not let it be made (${created.body.trim()})`);
      return partitionNames(name, countOf(this.#parse(created, name)));
    }
    const made = await this.#ask('PUT', path, partitions);
    if (made.status !== 409) this.#check(made, name);
    return partitionNames(name, countOf(await this.#json('GET', path)));
  }

  /** Of a topic that is about to be written to. Rejects `refused` where it is not there and is not to be made. */
  async partitionsToWrite(topic: string): Promise<readonly string[]> {
    const names = await this.partitions(topic, true);
    if (names.length > 0) return names;
    throw notMade(topic, 'its route does not let it be made');
  }

  /** Names of a namespace's topics; partitioned ones by themselves, and not their partitions. */
  async topics(namespace: string): Promise<readonly string[]> {
    const partitioned = (await this.#json('GET', `persistent/${namespace}/partitioned`)) as string[];
    const all = (await this.#json('GET', `persistent/${namespace}`)) as string[];
    const whole = new Set(partitioned);
    return [...whole, ...all.filter((name) => !whole.has(name.replace(/-partition-\d+$/, '')))];
  }

  /**
   * Resolves where the namespace is there and we are let in. One that is not there is worth waiting for: a Pulsar that is
   * starting has none yet.
   */
  async checkNamespace(namespace: string): Promise<void> {
    const answer = await this.#ask('GET', `persistent/${namespace}`);
    if (answer.status === 404) {
      const problem = `Pulsar has no namespace ${namespace}: pulsar-admin namespaces create ${namespace}`;
      throw new PortError('unavailable', problem);
    }
    this.#check(answer, namespace);
  }

  /** Removes a subscription that nobody uses, if it is there. */
  async forget(partition: string, name: string): Promise<void> {
    const path = `${topicPath(partition)}/subscription/${encodeURIComponent(name)}`;
    const answer = await this.#ask('DELETE', path);
    if (answer.status !== 404) this.#check(answer, partition);
  }

  /** One request; the broker looks into the newest entry for the size of its batch. */
  async last(partition: string): Promise<Position | undefined> {
    const answer = await this.#ask('GET', `${topicPath(partition)}/lastMessageId`);
    if (answer.status === 404) return undefined;
    const id = readMessageId(this.#parse(answer, partition));
    return id.entryId < 0 ? undefined : positionOf(id);
  }

  /** The first entry that was published at or after a time; the broker finds it by bisection, with reads of its storage. */
  async startSince(partition: string, sinceMs: number): Promise<Start> {
    const answer = await this.#ask('GET', `${topicPath(partition)}/messageid/${Math.max(0, Math.floor(sinceMs))}`);
    if (answer.status === 404) return 'earliest';
    return readMessageId(this.#parse(answer, partition));
  }

  /** Makes a durable subscription that keeps everything from `start` on; one that is there stays as it is. */
  async keepFor(partition: string, name: string, start: Start = 'earliest'): Promise<void> {
    const path = `${topicPath(partition)}/subscription/${encodeURIComponent(name)}`;
    const { ledgerId, entryId } = start === 'earliest' ? EARLIEST : start;
    const answer = await this.#ask('PUT', path, { ledgerId, entryId, partitionIndex: -1 });
    if (answer.status !== 409) this.#check(answer, partition);
  }

  /** Lets go of what is before `position`, all of its batch excepted. A subscription that somebody has removed is made again. */
  async letGo(partition: string, name: string, position: MessageId): Promise<void> {
    const { ledgerId, entryId } = position;
    const path = `${topicPath(partition)}/subscription/${encodeURIComponent(name)}/resetcursor`;
    const answer = await this.#ask('POST', path, { ledgerId, entryId, partitionIndex: -1 });
    if (answer.status === 404) return this.keepFor(partition, name, position);
    this.#check(answer, partition);
  }

  /** Removes subscriptions whose name begins with `prefix` and that nobody uses: the broker refuses it for the others. */
  async dropUnused(partition: string, prefix: string): Promise<void> {
    const answer = await this.#ask('GET', `${topicPath(partition)}/subscriptions`);
    if (answer.status !== 200) return;
    const names = (JSON.parse(answer.body) as string[]).filter((name) => name.startsWith(prefix));
    await Promise.all(
      names.map((name) => this.#ask('DELETE', `${topicPath(partition)}/subscription/${encodeURIComponent(name)}`)),
    );
  }

  /** What the broker is set to, where it tells us: that takes more rights than the rest. */
  async sizes(): Promise<Sizes> {
    const found = await this.brokerSettings();
    return {
      messageMaxBytes: Number(found.maxMessageSize ?? DEFAULT_SIZES.messageMaxBytes),
      frameMaxBytes: Number(found.webSocketMaxTextFrameSize ?? DEFAULT_SIZES.frameMaxBytes),
    };
  }

  /** Empty where it does not tell us. Never rejects. */
  async brokerSettings(): Promise<BrokerSettings> {
    const answer = await this.#ask('GET', 'brokers/configuration/runtime').catch(() => undefined);
    return answer?.status === 200 ? (JSON.parse(answer.body) as BrokerSettings) : {};
  }

  /** null where we may not know. Never rejects. */
  async policies(namespace: string): Promise<NamespacePolicies | null> {
    const answer = await this.#ask('GET', `namespaces/${namespace}`).catch(() => undefined);
    return answer?.status === 200 ? (JSON.parse(answer.body) as NamespacePolicies) : null;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #json(method: string, path: string): Promise<unknown> {
    return this.#parse(await this.#ask(method, path), path);
  }

  #check({ status, body }: Answer, what: string): void {
    if (status < 200 || status > 299) throw httpProblem(what, status, body);
  }

  #parse(answer: Answer, what: string): unknown {
    this.#check(answer, what);
    try {
      return JSON.parse(answer.body);
    } catch (cause) {
      throw new PortError('unavailable', `${what}: Pulsar's answer is not JSON`, { cause });
    }
  }

  #ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const call = (authorization: AuthorizationHeader) => this.#send(authorization, method, path, body);
    const isRefused = (outcome: object) => 'answer' in outcome && (outcome.answer as Answer).status === UNAUTHORIZED;
    return authorized(this.#settings.authorization, call, isRefused);
  }

  #send(authorization: AuthorizationHeader, method: string, path: string, body?: unknown): Promise<Answer> {
    const url = new URL(`/admin/v2/${path}`, this.#origin);
    return new Promise((resolve, reject) => {
      const failed = (cause: Error) =>
        reject(new PortError('unavailable', `${this.#origin.origin}: ${cause.message}`, { cause }));
      const headers = {
        ...authorization,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      };
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = send(url, { method, agent: this.#agent, headers, timeout: ANSWER_DEADLINE_MS }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', failed);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      });
      request.on('error', failed);
      request.on('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_DEADLINE_MS} ms`)));
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

function notMade(topic: string, why: string): PortError {
  const remedy = `pulsar-admin topics create-partitioned-topic ${topic} -p 8`;
  return new PortError('refused', `${topic} is not there, and ${why}: ${remedy}`);
}

function countOf(metadata: unknown): number {
  return (metadata as { partitions: number }).partitions;
}

function readMessageId(found: unknown): MessageId {
  const { ledgerId, entryId, partitionIndex, batchIndex } = found as Record<string, number | undefined>;
  return {
    ledgerId: ledgerId ?? -1,
    entryId: entryId ?? -1,
    partition: partitionIndex ?? -1,
    batchIndex: Math.max(0, batchIndex ?? 0),
  };
}
