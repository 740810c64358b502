import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fromRecord, RECORD_PROPERTIES, toRecord } from '../../functions/topics/record.js';

const PAGE = readFileSync('docs/RECORD.md', 'utf8');
const NAMES = Object.values(RECORD_PROPERTIES).sort();

test('docs/RECORD.md has a row for each property, and no other', () => {
  const rows = [...PAGE.matchAll(/^\| `([^`]*)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(rows.sort(), NAMES);
});

test('the record that docs/RECORD.md shows has every property, and is what is written for what it says', () => {
  const shown = JSON.parse(/```json\n(.*?)```/s.exec(PAGE)?.[1] ?? '');
  assert.deepEqual(Object.keys(shown.properties).sort(), NAMES);
  const record = { ...shown, payload: Buffer.from(shown.payload) };
  const publication = fromRecord(record, shown.key, 0);
  if ('problem' in publication) assert.fail(publication.problem);
  assert.deepEqual(toRecord(publication, shown.key), record);
});
