/**
 * Two MQTT topics that are one topic of Pulsar, as route `mop` has them: `a` and `persistent://public/default/a`. As with MoP,
 * what is published to either reaches who subscribed to the other, each under the name that its filter is about.
 */
export interface Spellings {
  short: string;
  full: string;
}

/** Whether a filter is about full names. All others, `#` too, are about short names where there are two. */
export function isAboutFullNames(filter: string): boolean {
  return filter.startsWith('persistent://');
}

/** The one of both that a filter is about. */
export function spelledFor(filter: string, { short, full }: Spellings): string {
  return isAboutFullNames(filter) ? full : short;
}
