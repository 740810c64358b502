import assert from 'node:assert/strict';
import { clientFrame, parseClientFrame, type Seen } from '../../functions/dialect/client-frame.js';
import { start, step } from '../../functions/dialect/client-half.js';
import {
  type ClientState,
  type Effect,
  type Input,
  newClientState,
  nextDeadline,
  TIMING,
} from '../../functions/dialect/client-state.js';
import { type ServerFrame, serverFrame } from '../../functions/dialect/server-frame.js';

const CONNACK = Uint8Array.of(0x20, 2, 0, 0);
const EPOCH = 7;
const GATEWAY_ERROR =
  '{"message": "Internal server error", "connectionId":"L0SM9cOFvHcCIhw=", "requestId":"L0SNAH8ovHcFcxg="}';

/** How one invocation of the message handler goes. */
export type Fate =
  | 'well'
  | 'twice'
  | 'unavailable'
  | 'crash-before-save'
  | 'crash-after-save'
  | 'silent'
  | 'silent-after-save';

interface Wire {
  isOpen: boolean;
  toServer: string[];
  toClient: string[];
}

/** What the server half keeps of the connection; see `GatewayFrames`. */
interface Row {
  /** The socket that it is bound to. */
  socket: number;
  frames: number;
  answer: Uint8Array;
  parts: Uint8Array[];
}

/** The client half, and around it a server half and a network that a test orders about. The server answers each message with one packet. */
export class World {
  nowMs = 0;
  readonly client: ClientState;
  readonly wires = new Map<number, Wire>();
  /** Sockets that wait for their handshake. */
  readonly handshakes: { socket: number; query: string }[] = [];
  /** Posts on their way, in no order. */
  readonly posts: { socket: number; text: string }[] = [];
  readonly delivered: Uint8Array[] = [];
  readonly stepped: Uint8Array[] = [];
  readonly answers: Uint8Array[] = [];
  ended: { code: number; reason: string } | null = null;
  readonly row: Row = { socket: 1, frames: 0, answer: new Uint8Array(), parts: [] };
  /** Sockets that asked to go on with the connection, and have not sent a frame yet. */
  readonly #resuming = new Set<number>();
  /** Frames of the worker, and how many of them the gateway is known to have taken. */
  readonly #worker: Uint8Array[] = [];
  #posted = 0;

  constructor(seed: number, resumeMs = Number.MAX_SAFE_INTEGER) {
    this.client = newClientState(seed, { ...TIMING, resumeMs });
    this.#obey(start(this.client, 0));
  }

  feed(input: Input): void {
    this.#obey(step(this.client, input, this.nowMs));
  }

  write(bytes: Uint8Array): void {
    this.feed({ type: 'written', bytes });
  }

  /** The next handshake ends well. */
  connect(): boolean {
    const handshake = this.handshakes.shift();
    if (handshake === undefined) return false;
    const { socket, query } = handshake;
    const asked = new URLSearchParams(query);
    assert.equal(asked.get('v'), '1');
    const token = asked.get('resume');
    assert.equal(token === null, socket === 1);
    if (token !== null) this.#resuming.add(socket);
    this.wires.set(socket, { isOpen: true, toServer: [], toClient: [] });
    this.feed({ type: 'opened', socket });
    return true;
  }

  refuseHandshake(): boolean {
    const handshake = this.handshakes.shift();
    if (handshake !== undefined) this.feed({ type: 'lost', socket: handshake.socket, code: 1006, reason: '' });
    return handshake !== undefined;
  }

  /** The oldest frame on a wire is handled. */
  handle(socket: number, fate: Fate): boolean {
    const wire = this.wires.get(socket);
    const text = wire?.toServer.shift();
    if (wire === undefined || text === undefined) return false;
    if (fate === 'silent') return true;
    if (fate === 'unavailable') wire.toClient.push('!unavailable');
    if (fate === 'crash-before-save') wire.toClient.push(GATEWAY_ERROR);
    if (fate === 'unavailable' || fate === 'crash-before-save') return true;
    const answer = this.#invoke(socket, text);
    if (fate === 'crash-after-save') wire.toClient.push(GATEWAY_ERROR);
    else if (fate !== 'silent-after-save') wire.toClient.push(answer);
    if (fate === 'twice') wire.toClient.push(this.#invoke(socket, text));
    return true;
  }

  /** The oldest frame on a wire reaches the client. */
  arrive(socket: number): boolean {
    const wire = this.wires.get(socket);
    const text = wire?.toClient.shift();
    if (text === undefined) return false;
    if (wire?.isOpen) this.feed({ type: 'received', socket, text });
    return true;
  }

  /** The worker posts; `isKnown`: it learns that the gateway took it. */
  post(isKnown: boolean): boolean {
    const bytes = this.#worker[this.#posted];
    const { socket } = this.row;
    if (bytes === undefined || !this.wires.get(socket)?.isOpen) return false;
    this.posts.push({
      socket,
      text: serverFrame({ type: 'worker', epoch: EPOCH, number: this.#posted + 1, bytes }),
    });
    if (isKnown) this.#posted += 1;
    return true;
  }

  /** One of the posts on their way arrives, if its socket is still there. */
  arrivePost(at: number): boolean {
    const [post] = this.posts.splice(at % Math.max(1, this.posts.length), 1);
    if (post === undefined) return false;
    const { socket, text } = post;
    if (this.wires.get(socket)?.isOpen) this.feed({ type: 'received', socket, text });
    return true;
  }

  drop(socket: number): boolean {
    if (!this.wires.delete(socket)) return false;
    this.feed({ type: 'lost', socket, code: 1006, reason: '' });
    return true;
  }

  tick(): boolean {
    const atMs = nextDeadline(this.client);
    if (atMs === null) return false;
    // A network that loses the same frame twice, or keeps it for so long, ends the connection: not what this world is for.
    const { deadlines, order } = this.client;
    if (deadlines.ordered === atMs && order.missed === order.next) return false;
    this.nowMs = Math.max(this.nowMs, atMs);
    this.feed({ type: 'ticked' });
    return true;
  }

  /** One frame of the worker, wherever its packets are cut. */
  workerSays(bytes: Uint8Array): void {
    this.#worker.push(bytes);
  }

  /** Without another fault, until nothing is on its way; time goes on only where nothing else does. */
  settle(): void {
    for (let round = 0; round < 10_000; round += 1) {
      const moved =
        this.connect() ||
        [...this.wires.keys()].some((socket) => this.handle(socket, 'well') || this.arrive(socket)) ||
        this.arrivePost(0) ||
        this.post(true);
      if (moved) continue;
      if (this.#isSettled) return;
      assert.ok(this.ended === null && this.tick(), `stuck: ${JSON.stringify([this.ended, this.client.deadlines])}`);
    }
    assert.fail('it never settles');
  }

  /** The worker's last frame may have been lost with its socket: then the connection's next one brings it. */
  get #isSettled(): boolean {
    const { current, order, outbox } = this.client;
    const isBound = current === this.row.socket && this.client.isConfirmed;
    return outbox.inFlight === null && isBound && order.early.length === 0 && order.next > this.#worker.length;
  }

  #invoke(socket: number, text: string): string {
    const frame = parseClientFrame(text);
    if (typeof frame === 'string') assert.fail(`${frame}: ${text.slice(0, 40)}`);
    const { row } = this;
    const isFirst = row.frames === 0 || this.#resuming.delete(socket);
    if (isFirst && row.frames > 0) this.#move(socket, frame.seen ?? null);
    if (socket !== row.socket) return '!unknown';
    const token = isFirst ? { token: `row.${socket}` } : {};
    const { number, bytes, isPart } = frame;
    if (number === row.frames) return serverFrame({ type: 'answer', number, bytes: row.answer, ...token });
    assert.equal(number, row.frames + 1, clientFrame(frame).slice(0, 40));
    row.frames = number;
    row.answer = new Uint8Array();
    if (isPart) row.parts.push(bytes);
    else if (row.parts.length + bytes.length > 0) row.answer = this.#step(Buffer.concat([...row.parts, bytes]));
    if (!isPart) row.parts = [];
    return serverFrame({ type: 'answer', number, bytes: row.answer, ...token } satisfies ServerFrame);
  }

  #move(socket: number, seen: Seen | null): void {
    this.row.socket = socket;
    assert.ok(seen === null || seen.epoch === EPOCH);
    this.#posted = seen?.number ?? 0;
  }

  #step(message: Uint8Array): Uint8Array {
    const answer = this.stepped.length === 0 ? CONNACK : Uint8Array.of(0x40, 2, 0, this.stepped.length % 256);
    this.stepped.push(message);
    this.answers.push(answer);
    return answer;
  }

  #obey(effects: readonly Effect[]): void {
    for (const effect of effects) this.#obeyOne(effect);
  }

  #obeyOne(effect: Effect): void {
    switch (effect.type) {
      case 'open':
        this.handshakes.push(effect);
        return;
      case 'send':
        this.wires.get(effect.socket)?.toServer.push(effect.text);
        return;
      case 'close': {
        const at = this.handshakes.findIndex(({ socket }) => socket === effect.socket);
        if (at >= 0) this.handshakes.splice(at, 1);
        this.wires.delete(effect.socket);
        return;
      }
      case 'ready':
        return;
      case 'deliver':
        this.delivered.push(effect.bytes);
        return;
      case 'ended':
        this.ended = effect;
    }
  }
}
