import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { LIMITS } from '../../functions/handlers/limits.js';

const PAGE = 'docs/LIMITS.md';

function page(): string {
  const rows = Object.values(LIMITS).map(
    ({ setting, unit, default: value, min, max, meaning, answer }) =>
      `| \`${setting}\` | ${unit} | ${value} | ${min} to ${max} | ${meaning} | ${answer} |`,
  );
  return `# Limits

Everything that can grow has a bound. This page is \`functions/handlers/limits.ts\`; a test compares them
(\`PULSEGATE_TEST_REWRITE=1 npm test -- limits-page\` writes it anew). Numbers in brackets are protocol levels.

| setting | unit | default | range | what it bounds | when it is reached |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

test('docs/LIMITS.md says what the limits are', () => {
  if (process.env.PULSEGATE_TEST_REWRITE === '1') writeFileSync(PAGE, page());
  assert.equal(readFileSync(PAGE, 'utf8'), page());
});
