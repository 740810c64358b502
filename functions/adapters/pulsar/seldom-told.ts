import type { PulsarOptions } from './options.js';

type Tell = NonNullable<PulsarOptions['tell']>;

const EVERY_MS = 60_000;
/** Events and what they are about, remembered at a time. */
const REMEMBERED_MAX = 1_000;

/** Says the same of the same topic once a minute at most: a broker that refuses would be as many lines as publications. */
export function seldomTold(tell: Tell): Tell {
  const toldAt = new Map<string, number>();
  return (level, event, about) => {
    const what = [event, about.namespace, about.topic, about.partition, about.code, wording(about.message)].join(' ');
    const now = performance.now();
    if (now - (toldAt.get(what) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return;
    if (toldAt.size >= REMEMBERED_MAX) toldAt.clear();
    toldAt.set(what, now);
    tell(level, event, about);
  };
}

/** Ports and numbers of requests differ each time. */
function wording(message: string | number | boolean | undefined): string {
  return String(message ?? '').replaceAll(/\d+/g, '');
}
