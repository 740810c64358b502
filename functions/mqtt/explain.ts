import { encode } from './encode.js';
import { LEVELS } from './levels.js';
import type { Acknowledgement, Connack, Disconnect, Level, Suback } from './packets.js';

/** What a client has said of the packets that it takes. */
export interface Takes {
  level: Level;
  /** null: no bound. */
  packetMaxBytes: number | null;
}

/**
 * The packet with a Reason String, where the level has them, and where it does not become larger than the client takes
 * [MQTT-3.2.2-19] [MQTT-3.4.2-2] [MQTT-3.5.2-2] [MQTT-3.9.2-1] [MQTT-3.14.2-3]. That a client without a wish for Problem
 * Information gets none but in CONNACK and DISCONNECT [MQTT-3.1.2-29] is the caller's to see to.
 */
export function explain<P extends Connack | Acknowledgement | Suback | Disconnect>(
  packet: P,
  why: string,
  { level, packetMaxBytes }: Takes,
): P {
  if (!LEVELS[level].properties) return packet;
  const explained = { ...packet, properties: { ...packet.properties, reasonString: why } };
  const bytes = encode(explained, level)?.length ?? 0;
  return packetMaxBytes === null || bytes <= packetMaxBytes ? explained : packet;
}
