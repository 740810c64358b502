import { createRequire } from 'node:module';
import { PortError, type PortErrorCode } from '../../../ports/errors.js';

/** What is used of `pulsar-client`. Its own types are there only where the package is. */
export interface NativeModule {
  Client: new (config: Record<string, unknown>) => NativeClient;
  AuthenticationToken: new (params: { token: string | (() => string) }) => unknown;
  AuthenticationOauth2: new (params: Record<string, string>) => unknown;
  MessageId: {
    earliest(): NativeMessageId;
    deserialize(bytes: Buffer): NativeMessageId;
  };
}

export interface NativeClient {
  createProducer(config: Record<string, unknown>): Promise<NativeProducer>;
  subscribe(config: Record<string, unknown>): Promise<NativeConsumer>;
  close(): Promise<null>;
}

export interface NativeProducer {
  send(message: {
    data: Buffer;
    partitionKey: string;
    properties: Readonly<Record<string, string>>;
  }): Promise<NativeMessageId>;
  /** Ends the batch; resolves when what was sent before has its receipt. */
  flush(): Promise<null>;
  close(): Promise<null>;
}

export interface NativeConsumer {
  receive(): Promise<NativeMessage>;
  batchReceive(): Promise<NativeMessage[]>;
  acknowledgeCumulativeId(id: NativeMessageId): Promise<null>;
  seek(id: NativeMessageId): Promise<null>;
  isConnected(): boolean;
  unsubscribe(): Promise<null>;
  close(): Promise<null>;
}

export interface NativeMessage {
  /** An array with names, no plain object. */
  getProperties(): Record<string, string>;
  getData(): Buffer;
  getMessageId(): NativeMessageId;
  getPublishTimestamp(): number;
  getPartitionKey(): string;
}

export interface NativeMessageId {
  toString(): string;
}

const PACKAGE = 'pulsar-client';

/** Loaded on first use: it is an addon, and its binary may be missing. Throws `refused`, naming the alternative. */
export function loadNative(load: (name: string) => unknown = createRequire(import.meta.url)): NativeModule {
  try {
    return load(PACKAGE) as NativeModule;
  } catch (cause) {
    const reason = (cause as Error).message.split('\n')[0];
    const problem = `pulsar:// and pulsar+ssl:// need the native addon of ${PACKAGE}, which does not load here (${reason})`;
    const remedy = 'install it, or use pulsar+ws://host:8080 (pulsar+wss:// with TLS), which needs none';
    throw new PortError('refused', `${problem}: ${remedy}`, { cause });
  }
}

/** By the names of the client's results, which are at the end of what it throws. */
const CODES: readonly [RegExp, PortErrorCode][] = [
  [/MessageTooBig/, 'too-large'],
  [/QueueIsFull|MemoryBufferIsFull|QuotaExceeded/, 'full'],
  [
    /Authorization|Authentication|NotAllowed|TopicTerminated|TopicNotFound|IncompatibleSchema|InvalidTopicName|InvalidConfig/,
    'refused',
  ],
  [/ProducerBusy|ConsumerBusy|ProducerFenced/, 'conflict'],
];

export function nativeProblem(what: string, cause: unknown): PortError {
  const { message } = cause as Error;
  const code = CODES.find(([words]) => words.test(message))?.[1] ?? 'unavailable';
  return new PortError(code, `${what}: ${message}`, { cause });
}
