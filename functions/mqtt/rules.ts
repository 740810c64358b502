import type { Checked } from './checked.js';
import { LEVELS } from './levels.js';
import type { Level } from './packets.js';
import { REASON, type Refusal, refusal } from './reason-codes.js';

/** The rules that no table says, about single bits and about fields that depend on each other. Each returns why not, or null. */

/** MQTT 5.0 section 3.1.2.3 and on. */
export function judgeConnectFlags(flags: number, level: Level): Refusal | null {
  const willQos = (flags >> 3) & 0x03;
  if (flags & 0x01) return malformed('MQTT-3.1.2-3', 'the reserved connect flag is set');
  if ((flags & 0x04) === 0) {
    if (willQos !== 0) return malformed('MQTT-3.1.2-11', 'Will QoS without a will');
    if (flags & 0x20) return malformed('MQTT-3.1.2-13', 'Will Retain without a will');
  }
  if (willQos === 3) return malformed('MQTT-3.1.2-12', 'Will QoS is 3');
  // Numbered so in MQTT 3.1.1; MQTT 5 has taken the rule back.
  const isPasswordAlone = (flags & 0xc0) === 0x40;
  if (isPasswordAlone && !LEVELS[level].passwordAlone)
    return malformed('MQTT-3.1.2-22', 'a password without a user name');
  return null;
}

export function judgeTopicName(topic: string): Refusal | null {
  if (!hasWildcard(topic)) return null;
  return refusal(REASON.topicNameInvalid, 'MQTT-3.3.2-2', 'a topic name holds a wildcard');
}

export function judgeResponseTopic(topic: string): Refusal | null {
  if (hasWildcard(topic)) return protocolError('MQTT-3.3.2-14', 'the Response Topic holds a wildcard');
  return topic === '' ? protocolError('MQTT-4.7.3-1', 'the Response Topic is empty') : null;
}

export function judgeReasonCode({ layout, reasonCode }: Checked): Refusal | null {
  const allowed = layout.clientReasons;
  if (allowed === undefined || allowed.codes.includes(reasonCode)) return null;
  return protocolError(allowed.clause, `${layout.name} from a client has no reason code ${reasonCode}`);
}

/** MQTT 5.0 section 3.8.3.1. */
export function judgeSubscriptionOptions(options: number, isShared: boolean, level: Level): Refusal | null {
  const reserved = LEVELS[level].subscriptionOptions ? 0xc0 : 0xfc;
  if (options & reserved) return malformed('MQTT-3.8.3-5', 'reserved bits of the subscription options are set');
  if ((options & 0x03) === 3) return protocolError('section 3.8.3.1', 'the maximum QoS of a subscription is 3');
  if ((options & 0x30) === 0x30) return protocolError('section 3.8.3.1', 'Retain Handling is 3');
  if (options & 0x04 && isShared) return protocolError('MQTT-3.8.3-4', 'No Local on a shared subscription');
  return null;
}

/** Asked once all fields were read and found right by themselves. */
export function judgeWhole(checked: Checked, level: Level): Refusal | null {
  const { topic, properties, connectFlags } = checked;
  switch (checked.layout.name) {
    case 'connect':
      if (connectFlags & 0x04 && topic === '') return emptyTopic('MQTT-4.7.3-1', level);
      if (properties?.authenticationData === undefined || properties.authenticationMethod !== undefined) return null;
      return protocolError('section 3.1.2.11.10', 'Authentication Data without an Authentication Method');
    case 'publish':
      if (topic !== '' || properties?.topicAlias !== undefined) return null;
      return emptyTopic(LEVELS[level].properties ? 'section 3.3.2.1' : 'MQTT-4.7.3-1', level);
    case 'auth':
      // Also what is wrong with an AUTH of no bytes, for its reason code would be 0, which only a server sends.
      if (properties?.authenticationMethod !== undefined) return null;
      return protocolError('section 3.15.2.2.2', 'AUTH without an Authentication Method');
    default:
      return null;
  }
}

function emptyTopic(clause: string, level: Level): Refusal {
  const reasonCode = LEVELS[level].reasonCodes ? REASON.protocolError : REASON.malformedPacket;
  return refusal(reasonCode, clause, 'a topic name is empty');
}

function hasWildcard(topic: string): boolean {
  return topic.includes('+') || topic.includes('#');
}

function malformed(clause: string, text: string): Refusal {
  return refusal(REASON.malformedPacket, clause, text);
}

function protocolError(clause: string, text: string): Refusal {
  return refusal(REASON.protocolError, clause, text);
}
