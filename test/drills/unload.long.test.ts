// Topics of data, of commands and of edges are unloaded in Pulsar under load, as when they move to another broker.
import { admin } from '../pulsar/transports.js';
import { drill } from './drill.js';

const BETWEEN_MS = 1_000;

drill('unload', 'topics of data, commands and edges move to another broker', async (stage) => {
  const fleet = await stage.fleet(2, ['edge', 'edge', 'fan-out', 'fan-out']);
  const namespace = stage.settings.PULSEGATE_PULSAR_NAMESPACE;
  const load = await stage.load(fleet);
  const topics = ['mqtt', 'pulsegate-sessions-0', 'pulsegate-edge-0', 'pulsegate-sessions-1', 'pulsegate-edge-1'];
  await stage.rounds(async () => {
    for (const topic of topics) {
      await load.pass(BETWEEN_MS);
      const at = load.fault();
      await admin(stage.pulsar, 'PUT', `persistent/${namespace}/${topic}/unload`);
      await load.delivered(at, `after unloading ${topic}`);
    }
    // All of them, and everything else that is there.
    await load.pass(BETWEEN_MS);
    const at = load.fault();
    await admin(stage.pulsar, 'PUT', `namespaces/${namespace}/unload`);
    await load.delivered(at, 'after unloading the namespace');
    await fleet.balanced();
  });
  await load.pass(BETWEEN_MS);
  await stage.finish();
});
