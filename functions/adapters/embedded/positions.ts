import { PortError } from '../../ports/errors.js';
import type { Position } from '../../ports/log.js';

/** A place in a topic: the number of the batch, 12 hexadecimal digits, and the index of the record in it, four. */
export interface Place {
  batch: number;
  index: number;
}

/** As many as an index of four digits can tell apart. */
export const BATCH_RECORDS_MAX = 0x1_0000;
const BATCH_DIGITS = 12;
const INDEX_DIGITS = 4;
const FORM = /^[0-9a-f]{16}$/;
/** Texts of the indexes used so far: they are the same in every batch. */
const indexTexts: string[] = [];

export function batchPrefix(batch: number): string {
  return batch.toString(16).padStart(BATCH_DIGITS, '0');
}

export function position(prefix: string, index: number): Position {
  while (indexTexts.length <= index) indexTexts.push(indexTexts.length.toString(16).padStart(INDEX_DIGITS, '0'));
  return prefix + indexTexts[index];
}

/** The place right after a position. Rejects what this log never gave out as `refused`. */
export function placeAfter(text: Position): Place {
  if (!FORM.test(text)) throw new PortError('refused', `not a position of this log: ${text}`);
  const batch = Number.parseInt(text.slice(0, BATCH_DIGITS), 16);
  return { batch, index: Number.parseInt(text.slice(BATCH_DIGITS), 16) + 1 };
}
