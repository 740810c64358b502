// kill -9 of a process that is both edge and worker, of two; and then of the other, once the first is back.
import { drill } from './drill.js';
import { killInTurn } from './kill-in-turn.js';

const BETWEEN_MS = 1_500;

drill('kill-both', 'a process that is edge and worker is killed, and then the other', async (stage) => {
  const fleet = await stage.fleet(4, ['all', 'all']);
  const load = await stage.load(fleet);
  await killInTurn(stage, fleet, load, BETWEEN_MS);
  await stage.finish();
});
