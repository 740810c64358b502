import { AFTER_TEXT, TOPIC_MAX_BYTES } from './keys.js';

/** By UTF-8 bytes, as DynamoDB compares; JavaScript's own order differs above U+D7FF. */
export function compareTexts(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** What every matching topic begins with; 'a/b/#' also matches 'a/b' [MQTT-4.7.1-2], so without the last separator. */
export function literalPrefix(filter: string): string {
  const wildcard = filter.search(/[+#]/);
  if (wildcard === -1) return filter;
  return filter[wildcard] === '#' ? filter.slice(0, Math.max(0, wildcard - 1)) : filter.slice(0, wildcard);
}

/**
 * Behind which key to read on after `topic`, whose key is `key`: past all topics of which the filter alone says that they cannot
 * match, so that `+/status` does not read what else each device has. Undefined where nothing that follows can match.
 *
 * Topics with the same beginning stand together. So after the first level that differs from the filter's, what could match
 * is either still ahead below the same beginning, or behind all that begins so.
 */
export function seekAfter(filter: string, topic: string, key: string): string | undefined {
  // Topics that are longer than a key stand in the order of their hashes, behind what they have in common.
  if (key !== topic) return key;
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (let i = 0, start = ''; i < levels.length; start += `${levels[i]}/`, i += 1) {
    const level = wanted[i];
    if (level === '#') break;
    if (level === undefined) return within(`${start}${AFTER_TEXT}`, key);
    if (level === '+' || level === levels[i]) continue;
    for (const candidate of [start + level, `${start}${level}/`]) {
      if (compareTexts(candidate, topic) > 0) return within(justBefore(candidate), key);
    }
    // Without a wildcard before it there is no other beginning.
    return wanted.slice(0, i).includes('+') ? within(`${start}${AFTER_TEXT}`, key) : undefined;
  }
  return key;
}

/** `seek`, unless it is longer than keys that stand in the order of their topics, or would lead back. */
function within(seek: string, key: string): string {
  const isOrdered = Buffer.byteLength(seek) < TOPIC_MAX_BYTES - 4;
  return isOrdered && compareTexts(seek, key) > 0 ? seek : key;
}

/** A text so little less that hardly any lies between. */
function justBefore(text: string): string {
  const last = [...text].at(-1);
  if (last === undefined) return text;
  const start = text.slice(0, -last.length);
  const code = last.codePointAt(0)!;
  if (code <= 1) return start;
  return `${start}${String.fromCodePoint(code === 0xe000 ? 0xd7ff : code - 1)}${AFTER_TEXT}`;
}
