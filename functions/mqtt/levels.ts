import type { Level } from './packets.js';
import { REASON } from './reason-codes.js';

/** What one protocol level can say. Ask this table, never the number of the level. */
export interface LevelTraits {
  /** For the log. */
  title: string;
  /** Protocol Name in CONNECT that goes with the level byte. */
  protocolName: 'MQIsdp' | 'MQTT';
  /** Packets have properties. */
  properties: boolean;
  /**
   * PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK and DISCONNECT carry reason codes, CONNACK and SUBACK any of them.
   * Where they do not, a failed publication can only be said by closing.
   */
  reasonCodes: boolean;
  /** The server may send DISCONNECT, with a reason. */
  serverDisconnect: boolean;
  /** There is an AUTH packet. */
  auth: boolean;
  /** Session Expiry Interval says how long the session outlives its connection; else the clean flag alone does. */
  sessionExpiry: boolean;
  /** CONNACK says whether a session was found; a reserved byte in MQTT 3.1. */
  sessionPresent: boolean;
  /** An empty client identifier asks the server to make one up; in MQTT 3.1 it is refused. */
  assignsClientId: boolean;
  /** CONNECT may carry a password and no user name. */
  passwordAlone: boolean;
  /** User name and password may be missing although their flags are set (MQTT 3.1, section 3.1). */
  credentialsMayBeMissing: boolean;
  /** SUBSCRIBE has No Local, Retain As Published and Retain Handling. */
  subscriptionOptions: boolean;
  /** Return code of CONNACK by reason code; null: reason codes are sent as they are. */
  returnCodes: Readonly<Record<number, number>> | null;
}

/**
 * CONNACK of levels 3 and 4 knows six answers. A reason that is not listed has none there, and the connection is
 * closed without CONNACK (3.1.1 [MQTT-3.2.2-6]).
 */
const RETURN_CODES: Readonly<Record<number, number>> = {
  [REASON.success]: 0,
  [REASON.unsupportedProtocolVersion]: 1,
  [REASON.clientIdentifierNotValid]: 2,
  [REASON.unspecifiedError]: 3,
  [REASON.implementationSpecific]: 3,
  [REASON.serverUnavailable]: 3,
  [REASON.serverBusy]: 3,
  [REASON.serverShuttingDown]: 3,
  [REASON.quotaExceeded]: 3,
  [REASON.useAnotherServer]: 3,
  [REASON.serverMoved]: 3,
  [REASON.connectionRateExceeded]: 3,
  [REASON.badUserNameOrPassword]: 4,
  [REASON.notAuthorized]: 5,
  [REASON.banned]: 5,
};

const MQTT_3_1_1: LevelTraits = {
  title: 'MQTT 3.1.1',
  protocolName: 'MQTT',
  properties: false,
  reasonCodes: false,
  serverDisconnect: false,
  auth: false,
  sessionExpiry: false,
  sessionPresent: true,
  assignsClientId: true,
  passwordAlone: false,
  credentialsMayBeMissing: false,
  subscriptionOptions: false,
  returnCodes: RETURN_CODES,
};

export const LEVELS: Readonly<Record<Level, LevelTraits>> = {
  3: {
    ...MQTT_3_1_1,
    title: 'MQTT 3.1',
    protocolName: 'MQIsdp',
    sessionPresent: false,
    assignsClientId: false,
    credentialsMayBeMissing: true,
  },
  4: MQTT_3_1_1,
  5: {
    title: 'MQTT 5.0',
    protocolName: 'MQTT',
    properties: true,
    reasonCodes: true,
    serverDisconnect: true,
    auth: true,
    sessionExpiry: true,
    sessionPresent: true,
    assignsClientId: true,
    passwordAlone: true,
    credentialsMayBeMissing: false,
    subscriptionOptions: true,
    returnCodes: null,
  },
};
