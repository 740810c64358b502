import type { Accept, Peer, PeerEvents } from '../../../functions/ports/peer.js';

/** What a peer told, in order: bytes as their number of octets, so that a failed comparison can be read. */
export type Told = { received: Buffer } | { refused: string; text: string } | 'closed';

/** A peer on the server's side, with all that was told of it. */
export class Seen {
  readonly peer: Peer;
  readonly told: Told[] = [];
  onRefused: (peer: Peer) => void = (peer) => peer.close('protocol-error');
  #wake: () => void = () => {};

  constructor(peer: Peer) {
    this.peer = peer;
  }

  get bytes(): Buffer {
    return Buffer.concat(
      this.told.flatMap((told) => (typeof told === 'object' && 'received' in told ? told.received : [])),
    );
  }

  get isClosed(): boolean {
    return this.told.at(-1) === 'closed';
  }

  get refusal(): string | undefined {
    for (const told of this.told) if (typeof told === 'object' && 'refused' in told) return told.refused;
    return undefined;
  }

  readonly events: PeerEvents = {
    received: (bytes) => this.#tell({ received: Buffer.from(bytes) }),
    refused: (refused, text) => {
      this.#tell({ refused, text });
      this.onRefused(this.peer);
    },
    closed: () => this.#tell('closed'),
  };

  /** Resolves once what was told fulfils the condition; the runner's time limit is the deadline. */
  async until(isThere: (seen: Seen) => boolean): Promise<void> {
    while (!isThere(this)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #tell(told: Told): void {
    this.told.push(told);
    this.#wake();
  }
}

/** Whoever comes to a listener. */
export class Arrivals {
  readonly #here: Seen[] = [];
  readonly #waiting: ((seen: Seen) => void)[] = [];
  /** What is done with a peer before `accept` returns. */
  onAccept: (seen: Seen) => void = () => {};

  readonly accept: Accept = (peer) => {
    const seen = new Seen(peer);
    this.onAccept(seen);
    const waiting = this.#waiting.shift();
    if (waiting) waiting(seen);
    else this.#here.push(seen);
    return seen.events;
  };

  /** The next peer that came and was not taken yet. */
  next(): Promise<Seen> {
    const seen = this.#here.shift();
    return seen ? Promise.resolve(seen) : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
