// Two clients with one identifier at two edges take each other over in a loop: one is connected at the end, and nothing is lost.
import assert from 'node:assert/strict';
import { slotOf } from '../../functions/runtime/edge-name.js';
import { eventually, within } from '../support/waiting.js';
import { drill } from './drill.js';
import type { Member } from './fleet.js';
import { nameOn } from './load/load.js';
import { Reader } from './load/reader.js';
import { Rows } from './rows.js';

const FIGHT_MS = 6_000;
const SETTLED_DEADLINE_MS = 10_000;
/** After which nobody comes any more: longer than a client waits to come again. */
const STILL_MS = 1_500;

drill('same-client', 'two clients with one identifier fight for it at two edges', async (stage) => {
  // Started one after another, so that each has the slot of its place.
  const fleet = await stage.fleet(2, ['edge', 'edge', 'fan-out', 'fan-out']);
  const rows = new Rows(stage.scope, stage.settings, stage.dynamo.endpoint);
  const load = await stage.load(fleet, { readers: 1 });
  await stage.rounds(async (number) => {
    const shard = number % 2;
    const name = nameOn(shard, 2, `both-${number}`);
    const edges = fleet.members.filter(({ takesClients }) => takesClients);
    const fighters: Reader[] = [];
    const join = ({ program }: Member) =>
      fighters.push(new Reader({ url: () => program.url }, { name, level: 5, qos: 1 }));
    stage.scope.after(async () => {
      for (const fighter of fighters) fighter.end();
    });
    const one = () => fighters.filter(({ isConnected }) => isConnected);
    join(edges[0]!);
    await within('the first of them is subscribed', fighters[0]!.subscribe());
    join(edges[1]!);
    const begunAt = performance.now();
    await load.pass(FIGHT_MS);
    for (const fighter of fighters) fighter.settle();
    const until = begunAt + FIGHT_MS;
    await load.pass(STILL_MS);
    await within(
      'no more than one is connected',
      eventually(() => one().length <= 1),
      SETTLED_DEADLINE_MS,
    );
    const connections = fighters.reduce((sum, fighter) => sum + fighter.connections, 0);
    stage.say(`${connections} connections of ${name} in ${FIGHT_MS} ms, ${one().length} at the end`);
    assert.ok(connections > 4, `there was a fight: ${connections}`);
    // Where both were away at the last, one comes again.
    if (one().length === 0) fighters[0]!.comeBack();
    await within(
      'one is connected',
      eventually(() => one().length === 1),
      SETTLED_DEADLINE_MS,
    );
    const winner = fighters.indexOf(one()[0]!);
    const row = await rows.presence(shard, name);
    assert.equal(row?.disconnectedAtMs, null, 'its presence row says that it is connected');
    assert.equal(slotOf(row.edge), winner, 'and where');
    const sent = load.writers.flatMap(({ acknowledged, sentAt }) =>
      acknowledged.filter((payload) => sentAt.get(payload)! > begunAt && sentAt.get(payload)! < until),
    );
    const missing = () => {
      const there = new Set(fighters.flatMap(({ arrivals }) => arrivals.all));
      return sent.filter((payload) => !there.has(payload));
    };
    await within(
      'the rest of it',
      eventually(() => missing().length === 0),
      SETTLED_DEADLINE_MS,
    ).catch(() => {});
    assert.deepEqual(missing().slice(0, 10), [], `${missing().length} of ${sent.length} lost at ${name}`);
    await fighters[winner]!.leave();
    const isAway = async () => (await rows.presence(shard, name))?.disconnectedAtMs !== null;
    await within('its presence row says that it is away', eventually(isAway), SETTLED_DEADLINE_MS);
  });
  await stage.finish();
});
