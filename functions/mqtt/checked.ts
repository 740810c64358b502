import type { Span } from './cursor.js';
import type { Layout } from './layouts.js';
import type { Properties } from './packets.js';

/** What the check learned of a packet on its way; fields that a packet does not have keep their first value. */
export interface Checked {
  layout: Layout;
  /** Low four bits of the first byte. */
  flags: number;
  packetId: number;
  reasonCode: number;
  /** Topic of PUBLISH, or of the will. */
  topic: string;
  /** Offset of the PUBLISH payload; it goes on to the end. */
  payloadAt: number;
  connectFlags: number;
  connectFlagsAt: number;
  /** Connect flags of fields that a client of MQTT 3.1 left out. */
  missing: number;
  /** The last Topic Filter read. */
  filter: Span;
  properties: Properties | undefined;
  willProperties: Properties | undefined;
}
