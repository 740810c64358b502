/**
 * `pulsegate/client`: MQTT clients of browsers, React Native and Node to Pulsegate behind API Gateway.
 *
 *     import mqtt from 'mqtt';
 *     import { createWebsocket } from 'pulsegate/client';
 *     mqtt.connect('wss://….execute-api.eu-central-1.amazonaws.com/prod', { createWebsocket });
 *
 * Other clients take `PulsegateSocket` in place of `WebSocket`.
 */
import { StreamableSocket } from './node-stream.js';
import type { PulsegateSocket } from './pulsegate-socket.js';
import type { Options } from './settings.js';

export { type EventName, type Listener, PulsegateSocket, type SocketEvent } from './pulsegate-socket.js';
export type { Options, TimingOptions } from './settings.js';

/** The option `createWebsocket` of MQTT.js 5. */
export function createWebsocket(url: string, subprotocols: string[]): PulsegateSocket {
  return new StreamableSocket(url, subprotocols);
}

/** The same with options: `mqtt.connect(url, { createWebsocket: createWebsocketWith({ WebSocket }) })`. */
export function createWebsocketWith(options: Options): typeof createWebsocket {
  return (url, subprotocols) => new StreamableSocket(url, subprotocols, options);
}
