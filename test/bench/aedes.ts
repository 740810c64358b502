/** aedes over WebSocket, as its documentation sets it up: its persistence is memory, so it stores nothing durably. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Aedes } from 'aedes';
import { createWebSocketStream, WebSocketServer } from 'ws';

const aedes = await Aedes.createBroker();
const server = createServer();
const sockets = new WebSocketServer({ server, path: '/mqtt', perMessageDeflate: false });
sockets.on('connection', (socket, request) => aedes.handle(createWebSocketStream(socket), request));
server.listen(0, '127.0.0.1', () => {
  process.send?.(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/mqtt`);
});
process.on('disconnect', () => process.exit());
