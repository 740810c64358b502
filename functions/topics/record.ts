import { FIELD_MAX_BYTES } from '../mqtt/limits.js';
import type { Properties, QoS, UserProperty } from '../mqtt/packets.js';
import { topicNameProblem } from './names.js';
import type { Publication } from './publication.js';

/**
 * The Pulsar message properties that carry what MQTT says about a message. Other applications read and write them: a name
 * here never changes its meaning. All are optional, and each is there only where it says something.
 */
export const RECORD_PROPERTIES = {
  /** `0`, `1` or `2`; absent: 1, and so a native producer's message is delivered at least once. */
  qos: 'mqtt-qos',
  /** `true`: the message is to be retained. */
  retain: 'mqtt-retain',
  /** Client identifier of the MQTT publisher, for No Local. */
  publisher: 'mqtt-publisher',
  /** Names one append, so that it can be looked for, and known where the log has it twice. */
  token: 'mqtt-token',
  /** Payload Format Indicator: `1` where the payload is UTF-8, `0` where it is said to be bytes. */
  payloadFormat: 'mqtt-payload-format',
  contentType: 'mqtt-content-type',
  /** A topic name. */
  responseTopic: 'mqtt-response-topic',
  /** Base64 of RFC 4648 section 4, padded. */
  correlationData: 'mqtt-correlation-data',
  /** JSON: an array of pairs of name and value; their order counts, and a name may repeat. */
  userProperties: 'mqtt-user-properties',
  /** Message Expiry Interval in seconds, from `mqtt-published-at` on. */
  expiry: 'mqtt-expiry',
  /** Milliseconds since the epoch; goes with `mqtt-expiry`. Absent: when the log took the message. */
  publishedAt: 'mqtt-published-at',
} as const;

/** Raised when what a name above says would be understood otherwise by an older version: it must not run beside a newer one then. */
export const RECORD_VERSION = '1';

/** A message as the log keeps it; `ports/log.ts` has the same shape. */
export interface PulsarRecord {
  readonly key: string;
  readonly payload: Uint8Array;
  readonly properties: Readonly<Record<string, string>>;
}

const NAMES = RECORD_PROPERTIES;
const UINT32_MAX = 0xffff_ffff;
const DIGITS = /^\d{1,15}$/;
/** Of the longest binary field. */
const BASE64_CHARACTERS_MAX = Math.ceil(FIELD_MAX_BYTES / 3) * 4;

/** The payload is handed on as it is. */
export function toRecord(publication: Publication, key: string): PulsarRecord {
  const { qos, retain, publisher, token, properties } = publication;
  const written: Record<string, string> = {};
  if (qos !== 1) written[NAMES.qos] = String(qos);
  if (retain) written[NAMES.retain] = 'true';
  if (publisher !== '') written[NAMES.publisher] = publisher;
  if (token !== undefined) written[NAMES.token] = token;
  if (properties !== undefined) writeProperties(properties, publication.publishedAtMs, written);
  return { key, payload: publication.payload, properties: written };
}

/**
 * What a record says as MQTT, whoever produced it. Anybody may have written its properties: one that MQTT could not carry
 * on gives a `problem`, which names the property and never its value.
 */
export function fromRecord(
  record: PulsarRecord,
  topic: string,
  appendedAtMs: number,
): Publication | { problem: string } {
  const found = record.properties;
  const qos = readQos(found[NAMES.qos]);
  const retain = found[NAMES.retain];
  if (qos === null) return { problem: `${NAMES.qos} is not 0, 1 or 2` };
  if (retain !== undefined && retain !== 'true' && retain !== 'false') {
    return { problem: `${NAMES.retain} is neither true nor false` };
  }
  const publishedAtMs = found[NAMES.publishedAt] === undefined ? appendedAtMs : readNumber(found[NAMES.publishedAt]);
  if (publishedAtMs === null) return { problem: `${NAMES.publishedAt} is not a number of milliseconds` };
  const publication: Publication = {
    topic,
    payload: record.payload,
    qos,
    retain: retain === 'true',
    publisher: found[NAMES.publisher] ?? '',
    publishedAtMs,
  };
  const token = found[NAMES.token];
  if (token !== undefined) publication.token = token;
  const problem = readProperties(found, publication);
  return problem === null ? publication : { problem };
}

function writeProperties(properties: Properties, publishedAtMs: number, written: Record<string, string>): void {
  const { payloadFormatIndicator, messageExpiryInterval, contentType, responseTopic, correlationData, userProperties } =
    properties;
  if (payloadFormatIndicator !== undefined) written[NAMES.payloadFormat] = String(payloadFormatIndicator);
  if (contentType !== undefined) written[NAMES.contentType] = contentType;
  if (responseTopic !== undefined) written[NAMES.responseTopic] = responseTopic;
  if (correlationData !== undefined) written[NAMES.correlationData] = toBase64(correlationData);
  if (userProperties !== undefined) written[NAMES.userProperties] = JSON.stringify(userProperties);
  if (messageExpiryInterval !== undefined) {
    written[NAMES.expiry] = String(messageExpiryInterval);
    written[NAMES.publishedAt] = String(publishedAtMs);
  }
}

/** Sets `publication.properties` where there are any; returns what is wrong with them, or null. */
function readProperties(found: Readonly<Record<string, string>>, publication: Publication): string | null {
  const payloadFormat = found[NAMES.payloadFormat];
  if (payloadFormat !== undefined) {
    if (payloadFormat !== '0' && payloadFormat !== '1') return `${NAMES.payloadFormat} is neither 0 nor 1`;
    propertiesOf(publication).payloadFormatIndicator = Number(payloadFormat);
  }
  const contentType = found[NAMES.contentType];
  if (contentType !== undefined) {
    if (!isMqttString(contentType)) return `${NAMES.contentType} is not a string that MQTT can carry`;
    propertiesOf(publication).contentType = contentType;
  }
  const responseTopic = found[NAMES.responseTopic];
  if (responseTopic !== undefined) {
    if (topicNameProblem(responseTopic) !== null) return `${NAMES.responseTopic} is not a topic name [MQTT-3.3.2-14]`;
    propertiesOf(publication).responseTopic = responseTopic;
  }
  const correlationData = found[NAMES.correlationData];
  if (correlationData !== undefined) {
    const bytes = fromBase64(correlationData);
    if (bytes === null) return `${NAMES.correlationData} is not padded base64 of at most ${FIELD_MAX_BYTES} bytes`;
    propertiesOf(publication).correlationData = bytes;
  }
  const userProperties = found[NAMES.userProperties];
  if (userProperties !== undefined) {
    const pairs = readPairs(userProperties);
    if (pairs === null) return `${NAMES.userProperties} is not a JSON array of pairs of strings that MQTT can carry`;
    propertiesOf(publication).userProperties = pairs;
  }
  const expiry = found[NAMES.expiry];
  if (expiry !== undefined) {
    const seconds = readNumber(expiry);
    if (seconds === null || seconds > UINT32_MAX)
      return `${NAMES.expiry} is not a number of seconds up to ${UINT32_MAX}`;
    propertiesOf(publication).messageExpiryInterval = seconds;
  }
  return null;
}

function propertiesOf(publication: Publication): Properties {
  publication.properties ??= {};
  return publication.properties;
}

function readQos(text: string | undefined): QoS | null {
  switch (text) {
    case undefined:
    case '1':
      return 1;
    case '0':
      return 0;
    case '2':
      return 2;
    default:
      return null;
  }
}

function readNumber(text: string | undefined): number | null {
  return text !== undefined && DIGITS.test(text) ? Number(text) : null;
}

function readPairs(text: string): UserProperty[] | null {
  try {
    const pairs: unknown = JSON.parse(text);
    return Array.isArray(pairs) && pairs.every(isPair) ? pairs : null;
  } catch {
    return null;
  }
}

function isPair(pair: unknown): pair is UserProperty {
  return (
    Array.isArray(pair) && pair.length === 2 && pair.every((text) => typeof text === 'string' && isMqttString(text))
  );
}

/** [MQTT-1.5.4-2], section 1.5.4. */
function isMqttString(text: string): boolean {
  return !text.includes('\u0000') && Buffer.byteLength(text) <= FIELD_MAX_BYTES;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** null where it is not what `toBase64` gives, for Buffer passes over what is not base64. */
function fromBase64(text: string): Uint8Array | null {
  if (text.length > BASE64_CHARACTERS_MAX) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}
