/** What Java's `URLEncoder` encodes and `encodeURIComponent` leaves. */
const LEFT_BY_JAVASCRIPT = /[!'()~]/g;
const UNPAIRED_SURROGATE = /\p{Surrogate}/u;

/** Pulsar takes a topic of such a name for a partition of another. */
const PARTITION = /-(?=partition-[+]?\d+$)/;
/** In a path they lead elsewhere, once a proxy or a client has tidied it up. */
const DOTS = /^\.(?=\.?$)/;
/** Topics that Pulsar keeps its own affairs in, one set in each namespace. */
const SYSTEM_START = /^_(?=_(?:change_events$|transaction_))/;
const SYSTEM_END = /_(?=_transaction_pending_ack$)/;
/** The same test for names as they are in Pulsar. */
const SYSTEM = /^__(?:change_events$|transaction_)|__transaction_pending_ack$/;

/**
 * The local name of the Pulsar topic that MoP keeps an MQTT topic in: what Java's `URLEncoder` makes of it. Beyond that, one
 * character of a name that Pulsar would misunderstand is encoded too; decoding gives the same. null where `topic` is not
 * well-formed Unicode.
 */
export function mopLocalName(topic: string): string | null {
  if (UNPAIRED_SURROGATE.test(topic)) return null;
  return encodeURIComponent(topic)
    .replace(LEFT_BY_JAVASCRIPT, percent)
    .replaceAll('%20', '+')
    .replace(PARTITION, percent)
    .replace(DOTS, percent)
    .replace(SYSTEM_START, percent)
    .replace(SYSTEM_END, percent);
}

/** What a local name stands for, as Java's `URLDecoder` has it; null where it is not encoded, or a topic of Pulsar's own. */
export function mopTopicOf(localName: string): string | null {
  if (SYSTEM.test(localName)) return null;
  try {
    return decodeURIComponent(localName.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
