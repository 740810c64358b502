/**
 * `pulsegate/client`: MQTT clients of browsers, React Native and Node to Pulsegate behind API Gateway.
 *
 *     import mqtt from 'mqtt';
 *     import { createWebsocket } from 'pulsegate/client';
 *     mqtt.connect('wss://….execute-api.eu-central-1.amazonaws.com/prod', { createWebsocket, forceNativeWebSocket: true });
 *
 * Other clients take `PulsegateSocket` in place of `WebSocket`.
 */
import { PulsegateSocket } from './pulsegate-socket.js';

export { PulsegateSocket, type PulsegateSocketOptions, type SocketEvent } from './pulsegate-socket.js';

/** For MQTT.js. In Node it has to be told to take it for a browser's WebSocket: `forceNativeWebSocket`. */
export function createWebsocket(url: string, protocols: string[]): PulsegateSocket {
  return new PulsegateSocket(url, protocols);
}
