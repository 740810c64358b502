import type { Need } from './room.js';

/** Of a key, and of what stands between values; more than the longest key that LMDB takes. */
const KEY_BYTES = 512;
/** UTF-8 has no more for one UTF-16 unit. */
const BYTES_PER_UNIT = 3;
const NUMBER_BYTES = 9;

/** What it takes to store a row, or several: judged from above, without encoding them. */
export function saving(row: unknown): Need {
  return { purpose: 'state', bytes: KEY_BYTES + bytesOf(row) };
}

function bytesOf(value: unknown): number {
  if (typeof value === 'string') return NUMBER_BYTES + BYTES_PER_UNIT * value.length;
  if (value instanceof Uint8Array) return NUMBER_BYTES + value.length;
  if (typeof value !== 'object' || value === null) return NUMBER_BYTES;
  let bytes = NUMBER_BYTES;
  for (const name in value) bytes += name.length + bytesOf((value as Record<string, unknown>)[name]);
  return bytes;
}
