/**
 * Whether every topic that `narrow` matches is matched by `wide`, too (MQTT 5.0 section 4.7). Both must be well-formed
 * (`names.ts`); of a shared subscription it takes the filter behind the share name.
 */
export function filterCovers(wide: string, narrow: string): boolean {
  // No topic is empty, so `#` matches what `+/#` does, and `/#` what `/+/#` does.
  if (narrow === '#' || narrow === '/#') return filterCovers(wide, `${narrow.slice(0, -1)}+/#`);
  // Topics that begin with `$` stay unseen by filters that begin with a wildcard [MQTT-4.7.2-1].
  if (narrow.startsWith('$') && /^[+#]/.test(wide)) return false;
  const [wides, narrows] = [wide.split('/'), narrow.split('/')];
  for (const [at, level] of narrows.entries()) {
    const own = wides[at];
    if (own === '#') return true;
    if (own === undefined || level === '#') return false;
    if (own !== '+' && own !== level) return false;
  }
  // `a/#` matches `a` as well (section 4.7.1.2).
  return wides.length === narrows.length || (wides.length === narrows.length + 1 && wides.at(-1) === '#');
}
