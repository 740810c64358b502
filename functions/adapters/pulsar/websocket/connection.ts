import type { Duplex } from 'node:stream';
import WebSocket from 'ws';
import { PortError } from '../../../ports/errors.js';
import { httpProblem, TokenRefused } from '../http-problem.js';
import type { AuthorizationHeader, PulsarSettings } from '../options.js';
import { authorized, tlsMaterial } from '../secure.js';

const OPEN_DEADLINE_MS = 15_000;
/** Pulsar closes a connection that is idle for five minutes; a dead one shows by the second of these. */
const PING_EVERY_MS = 10_000;
/** The largest message that is taken, as JSON with its payload in base64: chunked messages may be far over Pulsar's limit. */
const MESSAGE_MAX_BYTES = 256 * 1024 * 1024;

/** Handed over as bytes, header and text of a frame become one piece, not two. */
const AS_TEXT = { binary: false };

/** Not heard of for so long: dead, or its process stood still, as a function does between two events. */
const SILENT_MS = PING_EVERY_MS * 2.5;
/** How long an answer to a ping is waited for where something waits to be sent. */
const PROBE_MAX_MS = 1_000;

export interface Connection {
  socket: WebSocket;
  /** Whether nothing was heard for so long that it may be dead. */
  isSilent(): boolean;
  /** Asks whether it lives. Resolves when it has answered, or is closed. */
  probe(): Promise<void>;
  /** What one turn of the event loop sends goes out in one write: each is a system call, and wakes a thread of Pulsar. */
  send(text: string): void;
}

/**
 * Opens one of Pulsar's WebSocket end points; `path` begins after `/ws/v2/`. Nothing is taken from the socket until
 * `resume`: a reader's first messages come with the handshake. Rejects with `PortError`.
 */
export async function openConnection(
  origin: string,
  path: string,
  query: Readonly<Record<string, string>>,
  settings: PulsarSettings,
): Promise<Connection> {
  const url = `${origin}/ws/v2/${path}?${new URLSearchParams(query)}`;
  return authorized(
    settings.authorization,
    (headers) => dial(url, path, headers, settings),
    (outcome) => 'error' in outcome && outcome.error instanceof TokenRefused,
  );
}

function dial(url: string, path: string, headers: AuthorizationHeader, settings: PulsarSettings): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, {
      headers,
      handshakeTimeout: OPEN_DEADLINE_MS,
      maxPayload: MESSAGE_MAX_BYTES,
      perMessageDeflate: false,
      skipUTF8Validation: true,
      ...tlsMaterial(settings.tls),
    });
    let stream: Duplex | undefined;
    socket.once('upgrade', (response) => {
      stream = response.socket;
    });
    socket.once('open', () => {
      socket.pause();
      keepAlive(socket);
      resolve({ socket, send: sender(socket, stream as Duplex), ...hearing(socket) });
    });
    socket.once('unexpected-response', (_request, response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => reject(httpProblem(path, response.statusCode ?? 0, body)));
      response.on('error', (cause) => reject(new PortError('unavailable', `${path}: ${cause.message}`, { cause })));
    });
    // Stays for the connection's life: what breaks it is told by `close`, which follows.
    socket.on('error', (cause) => reject(new PortError('unavailable', `${path}: ${cause.message}`, { cause })));
  });
}

/** What a closed connection means to what was waiting on it. */
export function connectionLost(path: string, code: number, reason: Buffer): PortError {
  return new PortError('unavailable', `${path}: the connection to Pulsar ended (${code} ${reason.toString()})`);
}

function sender(socket: WebSocket, stream: Duplex): Connection['send'] {
  return (text) => {
    if (stream.writableCorked === 0) {
      stream.cork();
      setImmediate(() => stream.uncork());
    }
    socket.send(Buffer.from(text), AS_TEXT);
  };
}

/** By the wall clock: one that only counts on stands still with the process. */
function hearing(socket: WebSocket): Pick<Connection, 'isSilent' | 'probe'> {
  let heardAtMs = Date.now();
  const heard = () => {
    heardAtMs = Date.now();
  };
  socket.on('message', heard);
  socket.on('pong', heard);
  return {
    isSilent: () => Date.now() - heardAtMs > SILENT_MS,
    probe: () =>
      new Promise((resolve) => {
        const dead = setTimeout(() => socket.terminate(), PROBE_MAX_MS);
        const over = () => {
          clearTimeout(dead);
          socket.off('pong', over);
          socket.off('close', over);
          resolve();
        };
        socket.on('pong', over);
        socket.on('close', over);
        socket.ping();
      }),
  };
}

function keepAlive(socket: WebSocket): void {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  const pinging = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, PING_EVERY_MS);
  socket.once('close', () => clearInterval(pinging));
}
