// What `npm run serverless:local` runs until it is ended.
import { deploy } from './deployment.js';

const ends: (() => Promise<void>)[] = [];
const { url, worker } = await deploy({ after: (end) => void ends.push(end) });
process.stdout.write(`The gateway: ${url}
The worker, and its edge for stock clients: ${worker.url}

A client through the gateway:

npm exec --no -- node --input-type=module -e '
  import mqtt from "mqtt";
  import { WebSocket } from "ws";
  import { createWebsocketWith } from "pulsegate/client";
  const client = await mqtt.connectAsync("${url}", { protocolVersion: 5, createWebsocket: createWebsocketWith({ WebSocket }) });
  client.on("message", (topic, message) => { console.log(topic, String(message)); client.end(); });
  await client.subscribeAsync("hello/+", { qos: 1 });
  await client.publishAsync("hello/world", "It works.", { qos: 1 });
'
`);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    for (const end of ends.reverse()) await end();
    process.exit(0);
  });
}
