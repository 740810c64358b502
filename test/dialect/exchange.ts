import assert from 'node:assert/strict';
import { start, step } from '../../functions/dialect/client-half.js';
import {
  type ClientState,
  type Effect,
  type Input,
  newClientState,
  nextDeadline,
} from '../../functions/dialect/client-state.js';

/**
 * Plays an exchange of docs/PROTOCOL.md against the client half's machine: lines are given to it or expected of it, and nothing
 * else may come of it. Throws where they differ.
 */
export function play(lines: readonly string[]): void {
  const player = new Player();
  for (const line of lines) player.play(line);
  player.nothingIsLeft();
}

class Player {
  readonly #state: ClientState = newClientState(1);
  #nowMs = 0;
  #effects: Effect[] = start(this.#state, 0);

  play(line: string): void {
    const [first, rest] = [line[0], line.slice(2)];
    const passing = /^(\d+) s pass$/.exec(line);
    if (first === '»') this.#feed({ type: 'written', bytes: Buffer.from(rest, 'hex') });
    else if (first === '←') this.#feed({ type: 'received', socket: this.#current, text: rest });
    else if (line === 'lost') this.#feed({ type: 'lost', socket: this.#current, code: 1006, reason: '' });
    else if (passing) this.#pass(Number(passing[1]) * 1_000);
    else this.#expect(line);
  }

  nothingIsLeft(): void {
    assert.deepEqual(this.#effects.map(lineOf), []);
  }

  get #current(): number {
    return this.#state.current ?? assert.fail('no socket is open');
  }

  #expect(line: string): void {
    const effect = this.#effects.shift();
    assert.equal(effect && lineOf(effect), line);
    if (effect?.type === 'open') this.#feed({ type: 'opened', socket: effect.socket });
  }

  #feed(input: Input): void {
    this.#effects.push(...step(this.#state, input, this.#nowMs).filter(({ type }) => type !== 'ready'));
  }

  /** All that is due by then. */
  #pass(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let dueMs = nextDeadline(this.#state); dueMs !== null && dueMs <= untilMs; dueMs = nextDeadline(this.#state)) {
      this.#nowMs = dueMs;
      this.#feed({ type: 'ticked' });
    }
    this.#nowMs = untilMs;
  }
}

function lineOf(effect: Effect): string {
  switch (effect.type) {
    case 'open':
      return `opens ${effect.query}`;
    case 'send':
      return `→ ${effect.text}`;
    case 'close':
      return `closes ${effect.socket} with ${effect.code}`;
    case 'deliver':
      return `« ${Buffer.from(effect.bytes).toString('hex')}`;
    case 'ended':
      return `ends with ${effect.code}`;
    case 'ready':
      return 'ready';
  }
}
