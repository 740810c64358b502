import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Holds a table of a page against what was measured. It stands in the page between `<!-- NAME -->` and `<!-- end NAME -->`.
 * With PULSEGATE_TEST_REWRITE=1 it is written instead of compared.
 */
export function compareTable(page: string, name: string, table: readonly (readonly (string | number)[])[]): void {
  const [head = [], ...rows] = table;
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  compareText(page, name, `${lines.join('\n')}\n`);
}

/** The same for any text. */
export function compareText(page: string, name: string, wanted: string): void {
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- end ${name} -->`];
  const text = readFileSync(page, 'utf8');
  const [from, to] = [text.indexOf(start) + start.length, text.indexOf(end)];
  assert.ok(from >= start.length && to >= from, `${page} has no ${start}`);
  if (process.env.PULSEGATE_TEST_REWRITE === '1') writeFileSync(page, text.slice(0, from) + wanted + text.slice(to));
  else assert.equal(text.slice(from, to), wanted);
}
