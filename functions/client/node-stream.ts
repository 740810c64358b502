import { PulsegateSocket, type SocketEvent } from './pulsegate-socket.js';

/**
 * What MQTT.js needs in Node besides: there it makes a stream of the WebSocket with `createWebSocketStream` of the package `ws`,
 * which speaks to it as to one of its own.
 */
export class StreamableSocket extends PulsegateSocket {
  /** Nothing can be held back: API Gateway sends what it has. */
  readonly isPaused = false;
  /** The stream waits for its `finish` where all that was written is to be out. */
  readonly _socket = {
    _writableState: { finished: false },
    once: (_finish: string, run: () => void) => this.addEventListener('close', run, { once: true }),
  };

  on(name: SocketEvent['type'], run: (...facts: unknown[]) => void): this {
    this.addEventListener(name, (event) => run(...factsOf(event)));
    return this;
  }

  once(name: SocketEvent['type'], run: (...facts: unknown[]) => void): this {
    this.addEventListener(name, (event) => run(...factsOf(event)), { once: true });
    return this;
  }

  pause(): void {}

  resume(): void {}

  terminate(): void {
    this.close();
  }
}

function factsOf({ type, data, code, reason }: SocketEvent): unknown[] {
  switch (type) {
    case 'message':
      return [new Uint8Array(data as ArrayBuffer), true];
    case 'error':
      return [new Error('the connection is lost')];
    case 'close':
      return [code, reason];
    case 'open':
      return [];
  }
}
