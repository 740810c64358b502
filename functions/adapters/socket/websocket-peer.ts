import type { Accept, CloseReason, Peer, PeerEvents } from '../../ports/peer.js';
import type { SendTurn } from './send-turn.js';
import type { ServerWebSocket } from './server-websocket.js';

/** Packets that are sent in one turn share frames of about this size; a single packet above it is a frame of its own. */
const FRAME_MAX_BYTES = 64 * 1024;

/** RFC 6455 section 7.4.1. */
const CLOSE_CODES: Readonly<Record<CloseReason, number>> = {
  normal: 1000,
  'going-away': 1001,
  'protocol-error': 1002,
  'unsupported-data': 1003,
  policy: 1008,
  'too-big': 1009,
  'internal-error': 1011,
};

const FRAME_OPTIONS = { binary: true, compress: false };

/** Makes a peer of an open WebSocket and reports it to `accept`. */
export function acceptWebSocket(ws: ServerWebSocket, address: string, turn: SendTurn, accept: Accept): void {
  const peer = new WebSocketPeer(ws, address, turn);
  peer.report(accept(peer));
}

class WebSocketPeer implements Peer {
  readonly address: string;
  readonly #ws: ServerWebSocket;
  readonly #turn: SendTurn;
  /** Packets sent in this turn. */
  #unsent: Uint8Array[] = [];
  #unsentBytes = 0;
  #flushAsked = false;
  #closing = false;

  constructor(ws: ServerWebSocket, address: string, turn: SendTurn) {
    this.#ws = ws;
    this.address = address;
    this.#turn = turn;
  }

  get bufferedBytes(): number {
    return this.#unsentBytes + this.#ws.bufferedAmount;
  }

  report(events: PeerEvents): void {
    const refuse = (reason: 'unsupported-data' | 'too-big' | 'protocol-error', text: string): void => {
      if (this.#closing) return;
      events.refused(reason, text);
      this.close(reason);
    };
    this.#ws.on('message', (data: Buffer, isBinary) => {
      // A frame read together with the one that ended it is nobody's any more.
      if (this.#closing) return;
      if (!isBinary) refuse('unsupported-data', 'MQTT comes in binary frames; this was a text frame');
      // A frame without content is no Control Packet, and so must not count for the Keep Alive.
      else if (data.length > 0) events.received(data);
    });
    this.#ws.on('error', (error: Error & { code?: string }) => {
      if (error.code?.startsWith('WS_ERR_')) refuse(TOO_BIG.has(error.code) ? 'too-big' : 'protocol-error', error.message);
    });
    this.#ws.on('close', () => {
      this.#closing = true;
      this.#drop();
      events.closed();
    });
  }

  send(bytes: Uint8Array): void {
    if (this.#closing || bytes.length === 0) return;
    if (this.#unsentBytes + bytes.length > FRAME_MAX_BYTES) this.flush();
    this.#unsent.push(bytes);
    this.#unsentBytes += bytes.length;
    if (this.#flushAsked) return;
    this.#flushAsked = true;
    this.#turn.add(this);
  }

  /** Sends what this turn has gathered, as one frame. Also called when the turn ends. */
  flush(): void {
    const [first] = this.#unsent;
    if (first === undefined) {
      this.#flushAsked = false;
      return;
    }
    const frame = this.#unsent.length === 1 ? first : Buffer.concat(this.#unsent, this.#unsentBytes);
    this.#drop();
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(frame, FRAME_OPTIONS);
  }

  pause(): void {
    if (!this.#closing) this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  close(reason: CloseReason): void {
    if (this.#closing) return;
    this.flush();
    this.#closing = true;
    this.#ws.close(CLOSE_CODES[reason], reason);
    // The answer to the close frame has to be read.
    this.#ws.resume();
  }

  #drop(): void {
    this.#unsent = [];
    this.#unsentBytes = 0;
  }
}

const TOO_BIG: ReadonlySet<string> = new Set([
  'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
]);
