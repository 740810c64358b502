import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Words } from './words.js';

/** Does one command and returns a line for each effect that came out; null where the command only sets something up. */
export type Play = (command: string, words: Words) => readonly string[] | null;

interface Command {
  /** Comments and empty lines above it. */
  above: string[];
  text: string;
  expected: string[];
}

const NOTHING = '(nothing)';

/**
 * One test for every transcript in `folder`. A transcript is text: `#` begins a comment, the first of which is the fact that
 * it shows and the test's name; a line that is not indented is a command; what is indented below it is what comes out.
 * With PULSEGATE_TEST_REWRITE=1 what comes out is written into the file instead of compared: read it before keeping it.
 */
export function playTranscripts(folder: string, open: () => Play): void {
  const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));
  assert.notEqual(names.length, 0, `${folder} has no transcripts`);
  for (const name of names.sort()) {
    const file = join(folder, name);
    const { commands, below } = parse(readFileSync(file, 'utf8'));
    const fact = commands[0]?.above.find((line) => line.startsWith('#'));
    assert.ok(fact, `${file} does not begin with a comment that says its fact`);
    test(fact.slice(1).trim(), () => {
      const play = open();
      const played = commands.map((command) => ({ ...command, expected: outcome(play, command.text) }));
      if (process.env.PULSEGATE_TEST_REWRITE === '1') return writeFileSync(file, print(played, below));
      assert.ok(
        commands.some((command) => command.expected.length > 0),
        `${file} expects nothing`,
      );
      // Compared whole, so that a difference is shown where in the story it is.
      assert.equal(print(played, below), print(commands, below), file);
    });
  }
}

function outcome(play: Play, text: string): string[] {
  const words = new Words(text);
  const effects = play(words.next(), words);
  words.end();
  if (effects === null) return [];
  return effects.length === 0 ? [NOTHING] : [...effects];
}

function parse(text: string): { commands: Command[]; below: string[] } {
  const commands: Command[] = [];
  let above: string[] = [];
  for (const line of text.trimEnd().split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) {
      above.push(line.trim());
    } else if (line.startsWith(' ')) {
      const command = commands.at(-1);
      assert.ok(command && above.length === 0, `no command above: ${line}`);
      command.expected.push(line.trim());
    } else {
      commands.push({ above, text: line.trim(), expected: [] });
      above = [];
    }
  }
  return { commands, below: above };
}

function print(commands: readonly Command[], below: readonly string[]): string {
  const lines = commands.flatMap(({ above, text, expected }) => [
    ...above,
    text,
    ...expected.map((line) => `  ${line}`),
  ]);
  return `${[...lines, ...below].join('\n')}\n`;
}
