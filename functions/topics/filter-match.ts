const DOLLAR = 0x24;
const HASH = 0x23;
const PLUS = 0x2b;
const SLASH = 0x2f;

/**
 * Whether `filter` matches `topic`, by MQTT 5.0 section 4.7, character by character and without allocating.
 * Both must be well-formed (`names.ts`); of a shared subscription it takes the filter behind the share name.
 */
export function filterMatches(filter: string, topic: string): boolean {
  if (isHidden(topic) && isWildcard(filter.charCodeAt(0))) return false;
  let at = 0;
  for (let i = 0; i < filter.length; i += 1) {
    const code = filter.charCodeAt(i);
    if (code === HASH) return true;
    if (code === PLUS) {
      at = levelEnd(topic, at);
    } else if (code === topic.charCodeAt(at)) {
      at += 1;
    } else {
      return at === topic.length && isTail(filter, i);
    }
  }
  return at === topic.length;
}

/** Offset of the separator that ends the level at `start`, or the text's length. */
export function levelEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) !== SLASH) at += 1;
  return at;
}

/** Topic names that begin with `$` stay unseen by filters that begin with a wildcard [MQTT-4.7.2-1]. */
function isHidden(topic: string): boolean {
  return topic.charCodeAt(0) === DOLLAR;
}

function isWildcard(code: number): boolean {
  return code === HASH || code === PLUS;
}

/** `a/#` matches `a` as well: `#` stands for the parent and any number of levels below (section 4.7.1.2). */
function isTail(filter: string, at: number): boolean {
  return at + 2 === filter.length && filter.charCodeAt(at) === SLASH && filter.charCodeAt(at + 1) === HASH;
}
