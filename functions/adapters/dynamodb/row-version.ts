import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { PortError } from '../../ports/errors.js';
import { ROWS_VERSION } from '../../ports/store.js';

type Item = Record<string, AttributeValue>;

/** On each row; where it is missing the row is of version 1, which had none. */
export const VERSION: Item = { v: { N: String(ROWS_VERSION) } };
/** Attributes that a key alone is read with, to tell. */
export const VERSIONED_KEY = 'pk, sk, v';

/** Part of the condition of each write and deletion that has one, and the value that it names. */
export const NOT_NEWER = '(attribute_not_exists(v) OR v <= :v)';
export const VERSION_VALUE: Item = { ':v': { N: String(ROWS_VERSION) } };

export function isNewer({ v }: Item): boolean {
  return Number(v?.N ?? 1) > ROWS_VERSION;
}

/** Throws `refused` at a row that a newer version of Pulsegate has written: this one would misread it. */
export function refuseNewer(item: Item | undefined): void {
  if (item !== undefined && isNewer(item)) throw newer(`${item.pk?.S} ${item.sk?.S}`, Number(item.v?.N));
}

/** What is left as it is. */
export function newer(row: string, version: number): PortError {
  const versions = `its version is ${version}, and this program knows ${ROWS_VERSION}`;
  return new PortError('refused', `a newer Pulsegate wrote the row ${JSON.stringify(row)}: ${versions}`);
}
