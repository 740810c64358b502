/**
 * The control packets in this project's own terms: plain data that survives JSON (bytes through `snapshot`).
 * Names follow MQTT 5.0 chapter 3; an older level simply never carries `properties`.
 */

/** Protocol Level byte of CONNECT: 3 is MQTT 3.1 (`MQIsdp`), 4 is 3.1.1, 5 is 5.0. */
export type Level = 3 | 4 | 5;

export type QoS = 0 | 1 | 2;

/** One name and value; MQTT keeps their order and lets a name repeat [MQTT-3.3.2-18]. */
export type UserProperty = readonly [name: string, value: string];

/** Every property of MQTT 5.0 section 2.2.2.2. Which packet may carry which is said by `properties.ts`, not by this type. */
export interface Properties {
  payloadFormatIndicator?: number;
  /** Seconds. */
  messageExpiryInterval?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Uint8Array;
  /** On PUBLISH to a client one per matching subscription, hence a list. */
  subscriptionIdentifiers?: number[];
  /** Seconds; 0xFFFFFFFF never expires. */
  sessionExpiryInterval?: number;
  assignedClientIdentifier?: string;
  /** Seconds. */
  serverKeepAlive?: number;
  authenticationMethod?: string;
  authenticationData?: Uint8Array;
  requestProblemInformation?: number;
  /** Seconds. */
  willDelayInterval?: number;
  requestResponseInformation?: number;
  responseInformation?: string;
  serverReference?: string;
  reasonString?: string;
  receiveMaximum?: number;
  topicAliasMaximum?: number;
  topicAlias?: number;
  maximumQoS?: number;
  retainAvailable?: number;
  userProperties?: UserProperty[];
  /** Bytes. */
  maximumPacketSize?: number;
  wildcardSubscriptionAvailable?: number;
  subscriptionIdentifierAvailable?: number;
  sharedSubscriptionAvailable?: number;
}

export interface Will {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
  properties?: Properties;
}

export interface Connect {
  type: 'connect';
  level: Level;
  clientId: string;
  /** Clean Start in MQTT 5, Clean Session before. */
  cleanStart: boolean;
  /** Seconds; 0 turns the keep-alive off. */
  keepAlive: number;
  username?: string;
  password?: Uint8Array;
  will?: Will;
  properties?: Properties;
}

export interface Connack {
  type: 'connack';
  sessionPresent: boolean;
  /** An MQTT 5 reason code; levels 3 and 4 get the return code that stands for it, see `levels.ts`. */
  reasonCode: number;
  properties?: Properties;
}

export interface Publish {
  type: 'publish';
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
  dup: boolean;
  /** 0 where QoS is 0: such a packet has none. */
  packetId: number;
  properties?: Properties;
}

export interface Acknowledgement {
  type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';
  packetId: number;
  reasonCode: number;
  properties?: Properties;
}

/** MQTT 5.0 section 3.8.3.1; older levels have `qos` only and the defaults for the rest. */
export interface SubscriptionOptions {
  qos: QoS;
  noLocal: boolean;
  retainAsPublished: boolean;
  /** 0 send retained at subscribe, 1 only if the subscription is new, 2 do not. */
  retainHandling: 0 | 1 | 2;
}

export interface SubscriptionRequest extends SubscriptionOptions {
  filter: string;
}

export interface Subscribe {
  type: 'subscribe';
  packetId: number;
  /** At least one [MQTT-3.8.3-2]. */
  subscriptions: SubscriptionRequest[];
  properties?: Properties;
}

export interface Unsubscribe {
  type: 'unsubscribe';
  packetId: number;
  /** At least one [MQTT-3.10.3-2]. */
  filters: string[];
  properties?: Properties;
}

export interface Suback {
  type: 'suback' | 'unsuback';
  packetId: number;
  /** In the order of the request. An UNSUBACK of level 3 or 4 does not carry them. */
  reasonCodes: number[];
  properties?: Properties;
}

export interface Ping {
  type: 'pingreq' | 'pingresp';
}

export interface Disconnect {
  type: 'disconnect';
  reasonCode: number;
  properties?: Properties;
}

export interface Auth {
  type: 'auth';
  reasonCode: number;
  properties?: Properties;
}

export type ClientPacket =
  | Connect
  | Publish
  | Acknowledgement
  | Subscribe
  | Unsubscribe
  | { type: 'pingreq' }
  | Disconnect
  | Auth;

export type ServerPacket = Connack | Publish | Acknowledgement | Suback | { type: 'pingresp' } | Disconnect | Auth;

export type Packet = ClientPacket | ServerPacket;
