import type { Accept, Peer, PeerEvents } from '../../functions/ports/peer.js';
import type { Chance } from './chance.js';
import type { Timeline } from './timeline.js';

export interface LinkManner {
  /** One way, milliseconds. */
  delayMs(): number;
  /** Whether a piece is cut in two on its way. */
  splits(): boolean;
  /** From a break until one end hears of it, milliseconds. */
  noticeMs(): number;
}

/** After this long the server takes a connection that it has closed for closed. */
const CLOSE_DEADLINE_MS = 5_000;

export interface ClientEnd {
  received(bytes: Uint8Array): void;
  closed(): void;
}

/** A transport connection: bytes in order both ways, until it breaks wherever it likes. */
export class Link {
  /** The step in which the server closed it; null: it has not. */
  closedAtStep: number | null = null;
  /** Called when the server hears that it is over. */
  whenServerKnows: () => void = () => {};
  readonly #timeline: Timeline;
  readonly #manner: LinkManner;
  readonly #client: ClientEnd;
  readonly #events: PeerEvents;
  readonly #toServer: Pipe;
  readonly #toClient: Pipe;
  #clientOver = false;
  #serverOver = false;

  constructor(parts: {
    timeline: Timeline;
    chance: Chance;
    manner: LinkManner;
    accept: Accept;
    client: ClientEnd;
    address: string;
  }) {
    const { timeline, chance, manner, client } = parts;
    this.#timeline = timeline;
    this.#manner = manner;
    this.#client = client;
    const peer: Peer = peerOf(parts.address, this);
    this.#toServer = new Pipe(timeline, chance, manner, (bytes) => this.#events.received(bytes));
    this.#toClient = new Pipe(timeline, chance, manner, (bytes) => client.received(bytes));
    this.#events = parts.accept(peer);
  }

  get toServer(): Pipe {
    return this.#toServer;
  }

  get toClient(): Pipe {
    return this.#toClient;
  }

  /** The client closes when what it sent is out. It hears nothing any more. */
  closeByClient(): void {
    this.#clientOver = true;
    this.#toClient.cut();
    this.#toServer.end(() => this.tellServer());
  }

  /** The server closes when what it sent is out; it is told so when the client has closed, too. */
  closeByServer(): void {
    this.closedAtStep ??= this.#timeline.steps;
    this.#toClient.end(() => {
      this.#tellClient();
      this.#timeline.after(this.#manner.delayMs(), () => this.tellServer());
    });
    this.#timeline.after(CLOSE_DEADLINE_MS, () => this.tellServer());
  }

  /** What is under way is lost, and each end hears of it in its own time. */
  break(): void {
    this.#toServer.cut();
    this.#toClient.cut();
    this.#timeline.after(this.#manner.noticeMs(), () => this.#tellClient());
    this.#timeline.after(this.#manner.noticeMs(), () => this.tellServer());
  }

  /** The process is gone; `kept` pieces of what it sent were out. */
  crash(kept: (count: number) => number): void {
    this.#serverOver = true;
    this.#toServer.cut();
    this.#toClient.keep(kept);
    this.#toClient.end(() => this.#tellClient());
  }

  tellServer(): void {
    if (this.#serverOver) return;
    this.#serverOver = true;
    this.whenServerKnows();
    this.#toServer.cut();
    this.#events.closed();
  }

  #tellClient(): void {
    if (this.#clientOver) return;
    this.#clientOver = true;
    this.#client.closed();
  }
}

function peerOf(address: string, link: Link): Peer {
  return {
    address,
    get bufferedBytes() {
      return link.toClient.bytes;
    },
    send: (bytes) => link.toClient.send(bytes),
    pause: () => link.toServer.pause(),
    resume: () => link.toServer.resume(),
    close: () => link.closeByServer(),
  };
}

interface Piece {
  bytes: Uint8Array;
  /** When it has been handed over. */
  delivered: (() => void) | null;
  cancel: () => void;
}

/** One direction. */
class Pipe {
  /** Under way. */
  bytes = 0;
  #pieces: Piece[] = [];
  #lastDueMs = 0;
  #paused = false;
  /** Arrived while nobody read, in order. */
  #held: Piece[] = [];
  #ended = false;

  constructor(
    private readonly timeline: Timeline,
    private readonly chance: Chance,
    private readonly manner: LinkManner,
    private readonly deliver: (bytes: Uint8Array) => void,
  ) {}

  send(bytes: Uint8Array, delivered: (() => void) | null = null): void {
    if (this.#ended) return;
    if (bytes.length > 1 && this.manner.splits()) {
      const at = 1 + this.chance.below(bytes.length - 1);
      this.send(bytes.subarray(0, at));
      return this.send(bytes.subarray(at), delivered);
    }
    this.bytes += bytes.length;
    this.#put(bytes, delivered);
  }

  /** After what was sent, `run`; nothing can be sent any more. */
  end(run: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#put(new Uint8Array(0), run);
  }

  /** What is under way is lost. */
  cut(): void {
    this.#ended = true;
    this.#drop(this.#pieces.splice(0));
    this.#held = [];
  }

  keep(kept: (count: number) => number): void {
    this.#drop(this.#pieces.splice(kept(this.#pieces.length)));
    // An end that was on its way may be among what is lost.
    this.#ended = false;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.timeline.after(0, () => this.#release());
  }

  #put(bytes: Uint8Array, delivered: (() => void) | null): void {
    const dueMs = Math.max(this.#lastDueMs, this.timeline.exactMs + this.manner.delayMs());
    this.#lastDueMs = dueMs;
    const piece: Piece = { bytes, delivered, cancel: () => {} };
    this.#pieces.push(piece);
    piece.cancel = this.timeline.at(dueMs, () => {
      this.#pieces.shift();
      this.#held.push(piece);
      this.#release();
    });
  }

  #release(): void {
    while (!this.#paused) {
      const piece = this.#held.shift();
      if (piece === undefined) return;
      this.bytes -= piece.bytes.length;
      if (piece.bytes.length > 0) this.deliver(piece.bytes);
      piece.delivered?.();
    }
  }

  #drop(pieces: readonly Piece[]): void {
    for (const piece of pieces) piece.cancel();
  }
}
