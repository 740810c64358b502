import type { Socket } from 'node:net';
import type { Accept, Peer } from '../../ports/peer.js';
import { Coalescer } from './coalescer.js';
import { addressOf, CLOSE_DEADLINE_MS } from './listening.js';

/**
 * Makes a peer of an open TCP connection, with or without TLS, and wires its events. The socket must allow half-open
 * connections. TCP cannot say why it closes, so the reason for that stays on this side.
 */
export function acceptTcp(socket: Socket, accept: Accept): Peer {
  const coalescer = new Coalescer((bytes) => {
    if (socket.writable) socket.write(bytes);
  });
  let isClosing = false;
  let deadline: NodeJS.Timeout | undefined;
  const close = (): void => {
    if (isClosing) return;
    coalescer.flush();
    isClosing = true;
    deadline = setTimeout(() => socket.destroy(), CLOSE_DEADLINE_MS);
    // Unread bytes would make the operating system reset the connection, and what was just sent be lost.
    socket.resume();
    socket.end();
  };
  const peer: Peer = {
    address: addressOf(socket),
    get bufferedBytes() {
      return coalescer.bytes + socket.writableLength;
    },
    send(bytes) {
      if (!isClosing) coalescer.add(bytes);
    },
    pause() {
      if (!isClosing) socket.pause();
    },
    resume: () => void socket.resume(),
    close,
  };
  const events = accept(peer);
  socket.on('data', (bytes: Buffer) => {
    if (!isClosing) events.received(bytes);
  });
  // Whoever has nothing more to say has left: MQTT has no half-open connections.
  socket.once('end', close);
  // `close` follows every error.
  socket.on('error', () => {});
  socket.once('close', () => {
    isClosing = true;
    clearTimeout(deadline);
    events.closed();
  });
  return peer;
}
