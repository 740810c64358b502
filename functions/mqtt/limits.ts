/** The bounds that the protocol itself or this codec sets. Each has its unit in its name. */

/** The largest Remaining Length that four bytes can say: 268,435,455 (section 1.5.5). */
export const REMAINING_LENGTH_MAX_BYTES = 268_435_455;

/** A fixed header is one byte and one to four bytes of Remaining Length. */
export const FIXED_HEADER_MAX_BYTES = 5;

/** Strings and binary fields carry a two-byte length (sections 1.5.4, 1.5.6). */
export const FIELD_MAX_BYTES = 65_535;

/**
 * Filters in one SUBSCRIBE or UNSUBSCRIBE; answered with 0x97. A packet of 4 MiB has room for a million, and answering those
 * would hold up every other client for seconds.
 */
export const FILTERS_MAX = 10_000;

/** Packet Identifiers run from 1 to this [MQTT-2.2.1-3]. */
export const PACKET_ID_MAX = 65_535;

/** Session Expiry Interval that never expires (section 3.1.2.11.2). */
export const SESSION_NEVER_EXPIRES_S = 0xffff_ffff;

/**
 * Maximum Packet Size that the socket edge takes unless the settings say otherwise; answered with 0x95.
 * Below Pulsar's `maxMessageSize` (5 MiB) by enough for properties.
 */
export const PACKET_MAX_BYTES_DEFAULT = 4 * 1024 * 1024;
