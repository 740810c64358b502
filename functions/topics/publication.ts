import type { Properties, QoS } from '../mqtt/packets.js';

/**
 * An Application Message on its way from a publisher to the log and from there to subscribers: plain data.
 * `properties` holds only what travels with the message: format indicator, expiry, content type, response topic,
 * correlation data, user properties.
 */
export interface Publication {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
  properties?: Properties;
  /** Client identifier of the publisher, for No Local [MQTT-3.8.3-3]; '' where there is none. */
  publisher: string;
  /** Milliseconds since the epoch, by the clock of whoever took it in; Message Expiry counts from here. */
  publishedAtMs: number;
  /** Names one append, so that an append in doubt can be looked for in the log instead of repeated (QoS 2, wills). */
  token?: string;
}

/** What a publication weighs against bounds in bytes: topic, payload and properties, roughly. */
export function publicationBytes({ topic, payload, properties }: Publication): number {
  const bytes = topic.length + payload.length;
  return properties === undefined ? bytes : bytes + propertiesBytes(properties);
}

/** Of one property besides its value, about. */
const PROPERTY_BYTES = 5;

function propertiesBytes({ userProperties, contentType, responseTopic, correlationData }: Properties): number {
  const user = (userProperties ?? []).reduce(
    (sum, [name, value]) => sum + name.length + value.length + PROPERTY_BYTES,
    0,
  );
  return user + (contentType?.length ?? 0) + (responseTopic?.length ?? 0) + (correlationData?.length ?? 0);
}
