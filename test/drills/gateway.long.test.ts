// kill -9 of one of two processes that are worker and edge, as a deployment has them, half of the clients behind API Gateway.
import { startGatewayEdge } from '../support/behind-gateway.js';
import { drill } from './drill.js';
import { killInTurn } from './kill-in-turn.js';

const SHARDS = 4;
/** A frame of a client is an invocation, and the double's sandboxes are processes of this machine. */
const EVERY_MS = 250;
const BETWEEN_MS = 3_000;

drill('gateway', 'a process that is edge and worker is killed, and clients behind API Gateway go on', async (stage) => {
  const shared = { ...stage.settings, PULSEGATE_SHARDS: String(SHARDS) };
  // As deployed by default: functions have no native client.
  const functions = { ...shared, PULSEGATE_LOG: stage.pulsar.web.replace(/^http/, 'pulsar+ws') };
  const { gateway, settings } = await startGatewayEdge(stage.scope, functions);
  const { PULSEGATE_GATEWAY = '', AWS_REGION = '' } = settings;
  const fleet = await stage.fleet(SHARDS, ['all', 'all'], { PULSEGATE_GATEWAY, AWS_REGION });
  fleet.gateway = gateway;
  const load = await stage.load(fleet, { everyMs: EVERY_MS });
  await killInTurn(stage, fleet, load, BETWEEN_MS);
  await stage.finish();
});
