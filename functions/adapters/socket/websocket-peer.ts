import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { Accept, CloseReason, Peer, PeerEvents } from '../../ports/peer.js';
import { Coalescer } from './coalescer.js';
import { addressOf, CLOSE_DEADLINE_MS } from './listening.js';

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

/** What `ws` itself closes with when its receiver meets bad input. */
const RECEIVER_REFUSALS: Readonly<Record<number, Parameters<PeerEvents['refused']>>> = {
  1002: ['protocol-error', 'a WebSocket frame that RFC 6455 does not allow'],
  1008: ['protocol-error', 'a WebSocket message in too many fragments'],
  1009: ['too-big', 'a WebSocket message over the packet limit'],
};

/**
 * `ws` closes by itself when its receiver meets bad input. MQTT may want to say why before that, so such a close is announced
 * first. The receiver is the only caller that gives one of these codes and no reason.
 */
export class MqttWebSocket extends WebSocket {
  onRefusal: ((code: number) => void) | undefined;
  #deadline: NodeJS.Timeout | undefined;

  override close(code?: number, reason?: string | Buffer): void {
    if (code !== undefined && reason === undefined && code in RECEIVER_REFUSALS) this.onRefusal?.(code);
    this.cutSoon();
    super.close(code, reason);
  }

  /** Cuts the connection at the deadline. `ws` has none of its own where the other end half-closes and stops reading. */
  cutSoon(): void {
    if (this.#deadline !== undefined || this.readyState === WebSocket.CLOSED) return;
    this.#deadline = setTimeout(() => this.terminate(), CLOSE_DEADLINE_MS);
    this.once('close', () => clearTimeout(this.#deadline));
  }
}

/** Makes a peer of an open WebSocket and wires its events. */
export function acceptWebSocket(
  socket: MqttWebSocket,
  { request, token }: { request: IncomingMessage; token: string | undefined },
  accept: Accept,
): void {
  request.socket.once('end', () => socket.cutSoon());
  const coalescer = new Coalescer((bytes) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(bytes, { binary: true });
  });
  let isClosing = false;
  const peer: Peer = {
    address: addressOf(request.socket),
    token,
    get bufferedBytes() {
      return coalescer.bytes + socket.bufferedAmount;
    },
    send(bytes) {
      if (!isClosing) coalescer.add(bytes);
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close(reason) {
      if (isClosing) return;
      coalescer.flush();
      isClosing = true;
      // A paused socket would never see the other end's half of the closing handshake.
      socket.resume();
      socket.close(CLOSE_CODES[reason], '');
    },
  };
  const events = accept(peer);
  socket.onRefusal = (code) => {
    const refusal = RECEIVER_REFUSALS[code];
    if (refusal && !isClosing) events.refused(...refusal);
  };
  socket.on('message', (data, isBinary) => {
    if (isClosing) return;
    // A frame without content is no Control Packet, and so does not count for the Keep Alive [MQTT-3.1.2-22].
    if (!isBinary) events.refused('unsupported-data', 'a text frame');
    else if ((data as Buffer).length > 0) events.received(data as Buffer);
  });
  // `close` follows every error.
  socket.on('error', () => {});
  socket.once('close', () => {
    isClosing = true;
    events.closed();
  });
}
