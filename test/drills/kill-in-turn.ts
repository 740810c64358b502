import type { Stage } from './drill.js';
import type { Fleet } from './fleet.js';
import type { Load } from './load/load.js';

/** `kill -9` of each process of the fleet, of the next once the one before is back; and again, in the long form. */
export async function killInTurn(stage: Stage, fleet: Fleet, load: Load, betweenMs: number): Promise<void> {
  await load.pass(betweenMs);
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
      await load.pass(betweenMs);
    }
  });
}
