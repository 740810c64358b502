/** Name of the user property of SUBSCRIBE that asks for history. */
export const FROM_PROPERTY = 'pulsegate-from';

export const FROM_FORM =
  'earliest, an ISO 8601 time with its zone such as 2026-11-23T08:00:00Z, or a duration such as -15m';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;
const DURATION = /^-(\d{1,9})(ms|s|m|h|d)$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Where the history that `text` asks for begins; null where it is none of the forms. `now`: milliseconds since the epoch. */
export function parseFrom(text: string, now: number): 'earliest' | { sinceMs: number } | null {
  if (text === 'earliest') return 'earliest';
  const [, count, unit = ''] = DURATION.exec(text) ?? [];
  if (count !== undefined) return { sinceMs: Math.max(0, now - Number(count) * (UNIT_MS[unit] ?? 0)) };
  const atMs = TIME.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? null : { sinceMs: Math.max(0, atMs) };
}
