import assert from 'node:assert/strict';

/**
 * The words of one command: `subscribe 1 a/+ qos1 no-local expiry=60 "a text"`. Each is taken once, and `end` fails on what
 * nobody took, so that a misspelt word does not pass for a default.
 */
export class Words {
  readonly #text: string;
  #words: string[];

  constructor(text: string) {
    this.#text = text;
    this.#words = text.match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
  }

  get isEmpty(): boolean {
    return this.#words.length === 0;
  }

  next(): string {
    const word = this.#words.shift();
    assert.ok(word !== undefined, `a word is missing: ${this.#text}`);
    return unquoted(word);
  }

  /** The next word, where it is a quoted text. */
  quoted(): string | undefined {
    return this.#words[0]?.startsWith('"') ? this.next() : undefined;
  }

  /** Whether the word is there. */
  flag(word: string): boolean {
    return this.#takeWhere((held) => held === word) !== undefined;
  }

  /** The one of `words` that is there. */
  oneOf<T extends string>(...words: readonly T[]): T | undefined {
    return words.find((word) => this.flag(word));
  }

  /** The value of `name=value`. */
  option(name: string): string | undefined {
    const word = this.#takeWhere((held) => held.startsWith(`${name}=`));
    return word === undefined ? undefined : unquoted(word.slice(name.length + 1));
  }

  number(name: string): number | undefined {
    const value = this.option(name);
    return value === undefined ? undefined : toNumber(value);
  }

  /** The number of `#7`, `+7s`, `qos1` and the like: the first word that is `before`, digits and `after`. */
  numbered(before: string, after = ''): number | undefined {
    const isNumber = (text: string) => /^\d+$/.test(text.slice(before.length, text.length - after.length));
    const word = this.#takeWhere((held) => held.startsWith(before) && held.endsWith(after) && isNumber(held));
    return word === undefined ? undefined : Number(word.slice(before.length, word.length - after.length));
  }

  /** Milliseconds of `+1500ms` or `+2s`. */
  duration(): number {
    const ms = this.numbered('+', 'ms') ?? (this.numbered('+', 's') ?? Number.NaN) * 1000;
    assert.ok(!Number.isNaN(ms), `no duration: ${this.#text}`);
    return ms;
  }

  /** The rest, cut at words that are `separator`. */
  split(separator: string): Words[] {
    const parts: Words[] = [];
    let part = new Words('');
    for (const word of this.#words) {
      if (word !== separator) {
        part.#words.push(word);
        continue;
      }
      parts.push(part);
      part = new Words('');
    }
    this.#words = [];
    return [...parts, part];
  }

  end(): void {
    assert.deepEqual(this.#words, [], `not understood: ${this.#words.join(' ')}`);
  }

  #takeWhere(isWanted: (word: string) => boolean): string | undefined {
    const at = this.#words.findIndex(isWanted);
    return at < 0 ? undefined : this.#words.splice(at, 1)[0];
  }
}

function unquoted(word: string): string {
  return word.startsWith('"') ? word.slice(1, -1) : word;
}

export function toNumber(text: string): number {
  const value = Number(text);
  assert.ok(!Number.isNaN(value), `not a number: ${text}`);
  return value;
}
