import type { GatewayRow } from '../ports/connections.js';
import { PortError } from '../ports/errors.js';
import type { Publication } from '../topics/publication.js';
import type { GatewayEdge, GatewayEdgeParts } from './gateway-edge.js';
import { GATEWAY_EDGE } from './gateway-name.js';
import type { KeptConnection } from './kept-connection.js';
import { Presence } from './presence.js';
import type { Seen } from './remote-commands.js';

/** One text frame of a client, decoded. */
export interface ClientFrame {
  /** Rising by one, from 1. */
  number: number;
  bytes: Uint8Array;
  /** Whether the next frame goes on with the same message. */
  isPart: boolean;
  /** On a connection that goes on with another. */
  seen?: Seen;
}

/** What becomes of a frame. Each but `answer` ends the connection; `bytes` are the last that the client gets. */
export type Reply =
  /** `token`: with the first answer that a connection gets under its name, by which it may be resumed. */
  | { type: 'answer'; number: number; bytes: Uint8Array; token?: string }
  | { type: 'closed'; number: number; bytes: Uint8Array }
  /** There is no such connection, or its frames are out of step: the client half is to come again. */
  | { type: 'unknown' }
  | { type: 'too-large' };

/** A frame that was dealt with, and what is left to do once that is saved. */
interface Dealt {
  reply: Extract<Reply, { type: 'answer' | 'closed' }>;
  unpublished: readonly Publication[];
}

interface Current {
  row: GatewayRow;
  version: number;
}

/** A connection's name, and what nobody else knows. Whoever brings another than was given has no connection. */
const TOKEN = /^([\w+/=-]+)\.[\w-]+$/;
const TOKEN_MAX_CHARACTERS = 200;
const NOTHING = new Uint8Array();

/**
 * Frames of the gateway's connections, one at a time: loads what a connection was, lets the machine deal with the frame, and
 * saves it under the condition that nobody else has meanwhile. A frame that comes again gets the answer that it had.
 */
export class GatewayFrames {
  readonly #parts: GatewayEdgeParts;
  readonly #edge: GatewayEdge;
  readonly #messageMaxBytes: number;

  constructor(parts: GatewayEdgeParts, edge: GatewayEdge, messageMaxBytes: number) {
    this.#parts = parts;
    this.#edge = edge;
    this.#messageMaxBytes = messageMaxBytes;
  }

  /** A new connection, or with `resumes` one that goes on with another of that token. `shown`: what the handshake brought to say who it is. */
  async open(id: string, peer: string, resumes: string | null, shown?: string): Promise<void> {
    const { clock, connections } = this.#parts;
    const row: GatewayRow = {
      id,
      state: resumes === null ? this.#edge.begin(shown) : null,
      frames: 0,
      answer: NOTHING,
      partsFrom: 0,
      partsBytes: 0,
      heardAtMs: clock.now(),
      peer,
      token: resumes === null ? `${id}.${clock.unique()}` : resumes.slice(0, TOKEN_MAX_CHARACTERS),
      tokenTold: false,
    };
    await connections.put(row, 0).catch(unlessConflict);
  }

  async receive(id: string, frame: ClientFrame): Promise<Reply> {
    const { connections } = this.#parts;
    const found = (await connections.get(id)) ?? null;
    const current =
      found?.row.state === null
        ? ((await this.#resume(found.row, frame.seen)) ?? (await this.#resumedMeanwhile(id)))
        : found;
    if (current === null) return { type: 'unknown' };
    const { row, version } = current;
    const { number } = frame;
    const isRepeated = number > 0 && number === row.frames;
    const token = isRepeated || !row.tokenTold ? { token: row.token } : {};
    if (isRepeated) return { type: 'answer', number, bytes: row.answer, ...token };
    if (number !== row.frames + 1) return { type: 'unknown' };
    if (row.partsBytes + frame.bytes.length > this.#messageMaxBytes) {
      await this.#end(row);
      return { type: 'too-large' };
    }
    const { reply, unpublished } = frame.isPart ? await this.#keep(row, frame) : await this.#deal(row, frame);
    if (reply.type === 'closed') {
      if (await connections.delete(id)) await this.#edge.publish(unpublished);
      return reply;
    }
    if (!(await this.#save(row, version, reply))) return this.#again(id, number);
    await this.#edge.publish(unpublished);
    return { ...reply, ...token };
  }

  /** The gateway says that the connection is over. */
  async close(id: string): Promise<void> {
    const found = await this.#parts.connections.get(id);
    if (found === undefined) return;
    if (found.row.state !== null) await this.#end(found.row);
    else await this.#parts.connections.delete(id);
  }

  async #end(row: GatewayRow): Promise<void> {
    await this.#edge.lost(row);
    await this.#parts.connections.delete(row.id);
  }

  async #keep(row: GatewayRow, { number, bytes }: ClientFrame): Promise<Dealt> {
    await this.#parts.connections.putPart(row.id, number, bytes);
    if (row.partsFrom === 0) row.partsFrom = number;
    row.partsBytes += bytes.length;
    return { reply: { type: 'answer', number, bytes: NOTHING }, unpublished: [] };
  }

  async #deal(row: GatewayRow, { number, bytes }: ClientFrame): Promise<Dealt> {
    const message = row.partsFrom === 0 ? bytes : Buffer.concat([...(await this.#keptOf(row, number)), bytes]);
    row.partsFrom = 0;
    row.partsBytes = 0;
    const { bytes: said, closes, unpublished } = await this.#edge.received(row, number, message);
    return { reply: { type: closes === null ? 'answer' : 'closed', number, bytes: said }, unpublished };
  }

  #keptOf(row: GatewayRow, number: number): Promise<Uint8Array[]> {
    return this.#parts.connections.parts(row.id, row.partsFrom, number - 1);
  }

  async #save(row: GatewayRow, version: number, { number, bytes }: { number: number; bytes: Uint8Array }) {
    const heardAtMs = this.#parts.clock.now();
    const saved = { ...row, frames: number, answer: bytes, heardAtMs, tokenTold: true };
    try {
      await this.#parts.connections.put(saved, version);
      return true;
    } catch (error) {
      unlessConflict(error);
      return false;
    }
  }

  /** Somebody else has dealt with the same frame meanwhile. */
  async #again(id: string, number: number): Promise<Reply> {
    const found = await this.#parts.connections.get(id);
    if (found?.row.frames !== number) return { type: 'unknown' };
    return { type: 'answer', number, bytes: found.row.answer, token: found.row.token };
  }

  /** The first frame of a connection that goes on with another: its row comes here, and whoever has to know is told. */
  async #resume(asked: Pick<GatewayRow, 'id' | 'token' | 'peer'>, seen?: Seen): Promise<Current | null> {
    const { id, token, peer } = asked;
    const { clock, connections, presence, tell } = this.#parts;
    const from = TOKEN.exec(token)?.[1];
    const found = from === undefined ? undefined : await connections.get(from);
    if (found === undefined || found.row.state === null || found.row.token !== token) return null;
    const named = { id, peer, token: `${id}.${clock.unique()}`, tokenTold: false };
    const row = { ...found.row, ...named, heardAtMs: clock.now() };
    const kept = row.partsFrom === 0 ? [] : await connections.parts(found.row.id, row.partsFrom, row.frames);
    for (const [index, bytes] of kept.entries()) await connections.putPart(id, row.partsFrom + index, bytes);
    const { clientId = '', connectionNumber = 0, phase } = row.state as KeptConnection;
    if (phase === 'connected') {
      const edge = () => `${GATEWAY_EDGE}${id}`;
      await new Presence({ store: presence, clock, edge }).move(clientId, connectionNumber);
    }
    // Before the move: what fails here is all done again by the same frame.
    if (phase === 'connected') {
      const seenHere = seen && { seen };
      await tell({ clientId, connectionNumber, frame: row.frames, gatewayId: id, ...seenHere, commands: [] });
    }
    try {
      return { row, version: await connections.move(row, found.row.id, found.version) };
    } catch (error) {
      unlessConflict(error);
      // A frame of before the loss was still being dealt with under the former name, and is in the row now; or the row is here.
      return this.#resume(asked, seen);
    }
  }

  /** By another invocation of the same frame. */
  async #resumedMeanwhile(id: string): Promise<Current | null> {
    const found = await this.#parts.connections.get(id);
    return found === undefined || found.row.state === null ? null : found;
  }
}

function unlessConflict(error: unknown): void {
  if (!(error instanceof PortError) || error.code !== 'conflict') throw error;
}
