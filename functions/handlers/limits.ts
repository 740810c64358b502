import {
  PACKET_ID_MAX,
  PACKET_MAX_BYTES_DEFAULT,
  REMAINING_LENGTH_MAX_BYTES,
  SESSION_NEVER_EXPIRES_S,
} from '../mqtt/limits.js';

export interface Limit {
  /** Environment variable; in a file, the same name. */
  setting: string;
  unit: 'bytes' | 'messages' | 'connections' | 'subscriptions' | 'partitions' | 'aliases' | 'ms' | 's';
  default: number;
  min: number;
  max: number;
  meaning: string;
  /** What happens when it is reached. */
  answer: string;
}

const MIB = 1024 * 1024;
const COUNT_MAX = 1_000_000_000;
const BYTES_MAX = 1024 * 1024 * MIB;

/** Every bound that can be set. `docs/LIMITS.md` is this table; a test compares them. */
export const LIMITS = {
  packetMaxBytes: {
    setting: 'PULSEGATE_PACKET_MAX_BYTES',
    unit: 'bytes',
    default: PACKET_MAX_BYTES_DEFAULT,
    min: 1024,
    max: REMAINING_LENGTH_MAX_BYTES,
    meaning: 'largest packet taken from a client, fixed header included',
    answer: 'DISCONNECT 0x95 (5) and close 1009, before the rest is read',
  },
  receiveMaximum: {
    setting: 'PULSEGATE_RECEIVE_MAXIMUM',
    unit: 'messages',
    // More than a burst of a client that ignores it, and well below the packet identifiers: it is caught before they repeat.
    default: 10_000,
    min: 1,
    max: PACKET_ID_MAX,
    meaning: 'publications with QoS above 0 that an MQTT 5 client may have unanswered',
    answer: 'DISCONNECT 0x93',
  },
  appendsMax: {
    setting: 'PULSEGATE_APPENDS_MAX',
    unit: 'messages',
    default: 10_000,
    min: 1,
    max: COUNT_MAX,
    meaning: 'publications of one connection on their way to the log',
    answer: 'its socket is not read until half of them are durable',
  },
  appendsMaxBytes: {
    setting: 'PULSEGATE_APPENDS_MAX_BYTES',
    unit: 'bytes',
    default: 16 * MIB,
    min: 1024,
    max: BYTES_MAX,
    meaning: 'the same, in bytes of topic and payload',
    answer: 'its socket is not read until half of them are durable',
  },
  connectTimeoutMs: {
    setting: 'PULSEGATE_CONNECT_TIMEOUT_MS',
    unit: 'ms',
    default: 10_000,
    min: 100,
    max: 600_000,
    meaning: 'from the opening of a socket to its CONNACK',
    answer: 'close',
  },
  keepAliveMaxS: {
    setting: 'PULSEGATE_KEEP_ALIVE_MAX_S',
    unit: 's',
    default: 0,
    min: 0,
    max: 65_535,
    meaning: 'longest Keep Alive of an MQTT 5 client; 0: as it asks',
    answer: 'CONNACK names it as Server Keep Alive',
  },
  topicAliasMaximum: {
    setting: 'PULSEGATE_TOPIC_ALIAS_MAXIMUM',
    unit: 'aliases',
    default: 32,
    min: 0,
    max: 65_535,
    meaning: 'topic aliases that an MQTT 5 client may use; as many topics are kept for its connection',
    answer: 'DISCONNECT 0x94',
  },
  sessionExpiryMaxS: {
    setting: 'PULSEGATE_SESSION_EXPIRY_MAX_S',
    unit: 's',
    default: SESSION_NEVER_EXPIRES_S,
    min: 0,
    max: SESSION_NEVER_EXPIRES_S,
    meaning: 'longest that a session outlives its connection',
    answer: 'CONNACK names it as Session Expiry Interval (5); older clients get it silently',
  },
  connectionsMax: {
    setting: 'PULSEGATE_CONNECTIONS_MAX',
    unit: 'connections',
    default: 0,
    min: 0,
    max: COUNT_MAX,
    meaning: 'connections at once; 0: no bound',
    answer: 'close 1008, counted',
  },
  sendBufferMaxBytes: {
    setting: 'PULSEGATE_SEND_BUFFER_MAX_BYTES',
    unit: 'bytes',
    default: 16 * MIB,
    min: 1024,
    max: BYTES_MAX,
    meaning: 'bytes that one client has not taken yet',
    answer: 'QoS 0 is dropped for that client, counted; at twice as many it is closed with 1008, counted',
  },
  inFlightMax: {
    setting: 'PULSEGATE_IN_FLIGHT_MAX',
    unit: 'messages',
    default: PACKET_ID_MAX,
    min: 1,
    max: PACKET_ID_MAX,
    meaning: 'publications sent to one client and not answered; its own Receive Maximum counts too',
    answer: 'more wait, in memory and then in the store',
  },
  inFlightMaxBytes: {
    setting: 'PULSEGATE_IN_FLIGHT_MAX_BYTES',
    unit: 'bytes',
    default: 16 * MIB,
    min: 1,
    max: BYTES_MAX,
    meaning: 'the same, in bytes of topic and payload',
    answer: 'more wait, in memory and then in the store',
  },
  waitingMaxMessages: {
    setting: 'PULSEGATE_WAITING_MAX_MESSAGES',
    unit: 'messages',
    default: 1_000,
    min: 0,
    max: COUNT_MAX,
    meaning: 'publications that wait in memory for one client to answer others',
    answer: 'they move to the store, order kept',
  },
  waitingMaxBytes: {
    setting: 'PULSEGATE_WAITING_MAX_BYTES',
    unit: 'bytes',
    default: MIB,
    min: 0,
    max: BYTES_MAX,
    meaning: 'the same, in bytes of topic and payload',
    answer: 'they move to the store, order kept',
  },
  unsavedMaxMs: {
    setting: 'PULSEGATE_UNSAVED_MAX_MS',
    unit: 'ms',
    default: 10_000,
    min: 100,
    max: 3_600_000,
    meaning: 'how long the checkpoint waits for the answer of a client whose session persists',
    answer: 'what it owes is saved, and the checkpoint moves on',
  },
  queueMaxMessages: {
    setting: 'PULSEGATE_QUEUE_MAX_MESSAGES',
    unit: 'messages',
    default: 100_000,
    min: 0,
    max: COUNT_MAX,
    meaning: 'publications stored for one session',
    answer: 'the newest are dropped for that session, counted',
  },
  queueMaxBytes: {
    setting: 'PULSEGATE_QUEUE_MAX_BYTES',
    unit: 'bytes',
    default: 256 * MIB,
    min: 0,
    max: BYTES_MAX,
    meaning: 'the same, in bytes of topic and payload',
    answer: 'the newest are dropped for that session, counted',
  },
  retentionMaxAgeS: {
    setting: 'PULSEGATE_RETENTION_MAX_AGE_S',
    unit: 's',
    default: 86_400,
    min: 60,
    max: COUNT_MAX,
    meaning: 'how long the embedded log keeps what every session is done with',
    answer: 'the oldest goes; what a session still needs is kept whatever its age',
  },
  retentionMaxBytes: {
    setting: 'PULSEGATE_RETENTION_MAX_BYTES',
    unit: 'bytes',
    default: 1024 * MIB,
    min: MIB,
    max: BYTES_MAX,
    meaning: 'size on disk of the embedded log',
    answer: 'the oldest goes; what a session still needs is kept whatever the size',
  },
  appendDeadlineMs: {
    setting: 'PULSEGATE_APPEND_DEADLINE_MS',
    unit: 'ms',
    default: 20_000,
    min: 1_000,
    max: 600_000,
    meaning:
      'how long an append to Pulsar may be under way; so long a QoS 2 publication that another process left in doubt waits before it is looked for. Every process of a deployment has the same',
    answer: 'the publication is in doubt: DISCONNECT 0x83 (5) or close, and the client repeats it',
  },
  partitionsMax: {
    setting: 'PULSEGATE_PARTITIONS_MAX',
    unit: 'partitions',
    default: 10_000,
    min: 1,
    max: COUNT_MAX,
    meaning: 'partitions of the log that fan-out reads at once, one consumer each',
    answer:
      'SUBACK 0x97 (5), 0x80 (3.1.1) for a filter that needs more; of topics that come to be later: said in the log, and not read',
  },
  lingerMs: {
    setting: 'PULSEGATE_LINGER_MS',
    unit: 'ms',
    default: 60_000,
    min: 0,
    max: COUNT_MAX,
    meaning:
      'how long a partition of the log that no filter needs any more is read on, so that subscribing again costs nothing',
    answer: 'it is read no more, and the log keeps nothing for it',
  },
  replaysMax: {
    setting: 'PULSEGATE_REPLAYS_MAX',
    unit: 'subscriptions',
    default: 16,
    min: 0,
    max: COUNT_MAX,
    meaning: 'filters of one session that get history at once; 0: nobody gets any',
    answer: 'SUBACK 0x97',
  },
  subscriptionsMax: {
    setting: 'PULSEGATE_SUBSCRIPTIONS_MAX',
    unit: 'subscriptions',
    default: 10_000,
    min: 1,
    max: COUNT_MAX,
    meaning: 'filters of one session',
    answer: 'SUBACK 0x97 (5), 0x80 (3.1.1)',
  },
  subscriptionsMaxBytes: {
    setting: 'PULSEGATE_SUBSCRIPTIONS_MAX_BYTES',
    unit: 'bytes',
    default: MIB,
    min: 1024,
    max: BYTES_MAX,
    meaning: 'the same, in bytes of the filters; all of them are written with each SUBSCRIBE',
    answer: 'SUBACK 0x97 (5), 0x80 (3.1.1)',
  },
} as const satisfies Readonly<Record<string, Limit>>;

export type LimitValues = { [Name in keyof typeof LIMITS]: number };
