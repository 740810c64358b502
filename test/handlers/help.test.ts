import assert from 'node:assert/strict';
import { test } from 'node:test';
import { helpText } from '../../functions/handlers/help.js';
import { LIMITS } from '../../functions/handlers/limits.js';
import { SETTINGS } from '../../functions/handlers/setting-list.js';

test('help names every option and every setting with its default and valid form', () => {
  const text = helpText();
  for (const word of ['--config FILE', '--check', '--hash-password', '--help', '--version']) {
    assert.ok(text.includes(word), word);
  }
  for (const { setting, default: value, form } of SETTINGS) {
    assert.ok(text.includes(`  ${setting}\n      ${form}\n      default: ${value}\n`), setting);
  }
});

test('help says of every limit its default, its range and what happens when it is reached', () => {
  const text = helpText();
  for (const { setting, unit, default: value, min, max, meaning, answer } of Object.values(LIMITS)) {
    const head = `  ${setting} (${unit}, default ${value}, from ${min} to ${max})`;
    assert.ok(text.includes(`${head}\n      ${meaning}\n      when reached: ${answer}\n`), setting);
  }
});

test("a limit's setting is its name in capitals, and its default is in its range", () => {
  for (const [name, { setting, default: value, min, max }] of Object.entries(LIMITS)) {
    assert.equal(setting, `PULSEGATE_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`);
    assert.ok(min <= value && value <= max, name);
  }
});
