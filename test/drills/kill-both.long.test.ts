// kill -9 of a process that is both edge and worker, of two; and then of the other, once the first is back.
import { drill } from './drill.js';

const BETWEEN_MS = 1_500;

drill('kill-both', 'a process that is edge and worker is killed, and then the other', async (stage) => {
  const fleet = await stage.fleet(4, ['all', 'all']);
  const load = await stage.load(fleet);
  await load.pass(BETWEEN_MS);
  await stage.rounds(async () => {
    for (const victim of fleet.members) {
      const { shards } = victim;
      const at = load.fault();
      await victim.kill();
      await fleet.owned(shards, victim);
      const ms = load.recovered(at, 'shards owned by the other');
      stage.say(`shards ${[...shards]} owned by the other after ${ms} ms`);
      await load.delivered(at);
      await victim.start();
      await fleet.balanced();
      await load.pass(BETWEEN_MS);
    }
  });
  await stage.finish();
});
