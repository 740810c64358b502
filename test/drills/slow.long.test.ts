// A subscriber does not read its socket, and a session that persists is absent: checkpoint and backlog stay bounded.
import assert from 'node:assert/strict';
import { admin } from '../pulsar/transports.js';
import { StockClient } from '../support/clients.js';
import { persistent, RawClient } from '../support/raw-client.js';
import { within } from '../support/waiting.js';
import { drill } from './drill.js';
import { nameOn } from './load/load.js';
import { Reader } from './load/reader.js';
import { Rows } from './rows.js';

const SHARDS = 2;
/** How long the checkpoint waits for a client that does not answer; then what it owes is saved. */
const UNSAVED_MS = 2_000;
/** Then a checkpoint may have to come, and Pulsar to hear of it. */
const SLACK_MS = 4_000;
const DONE_WITHIN_MS = 20_000;
const SHORT_MS = 12_000;
const LOOK_MS = 500;
const BULK_BYTES = 64 * 1024;
const BULK_EVERY_MS = 50;
const SEND_BUFFER_BYTES = 256 * 1024;

interface Backlog {
  messages: number;
  checkpointBytes: number;
}

drill('slow', 'a subscriber does not read, and another is absent', async (stage) => {
  const fleet = await stage.fleet(SHARDS, ['edge', 'edge', 'fan-out', 'fan-out'], {
    PULSEGATE_UNSAVED_MAX_MS: String(UNSAVED_MS),
    PULSEGATE_SEND_BUFFER_MAX_BYTES: String(SEND_BUFFER_BYTES),
  });
  const rows = new Rows(stage.scope, stage.settings, stage.dynamo.endpoint);
  const load = await stage.load(fleet);
  const absent = new Reader(fleet.dialFrom(0), { name: nameOn(0, SHARDS, 'absent'), level: 5 });
  stage.scope.after(async () => absent.end());
  await within('the absent one is subscribed', absent.subscribe());
  await absent.leave();
  const slowId = nameOn(1, SHARDS, 'slow');
  const { client: slow } = await RawClient.connect(stage.scope, fleet.members[0]!.program.url, 5, {
    clientId: slowId,
    ...persistent(5),
  });
  const subscriptions = ['drill/#', 'bulk'].map((topic) => ({ topic, qos: 1 as const }));
  slow.send({ cmd: 'subscribe', messageId: 1, subscriptions });
  // What it subscribed to may come before the answer.
  await slow.packets.find('a SUBACK', ({ cmd }) => cmd === 'suback');
  slow.pause();
  const beganAt = performance.now();
  const bulk = await StockClient.connect(stage.scope, fleet.members[1]!.program.url, 5);
  const sending = setInterval(() => bulk.mqtt.publish('bulk', Buffer.alloc(BULK_BYTES), { qos: 1 }), BULK_EVERY_MS);
  stage.scope.after(async () => clearInterval(sending));
  const seen: Backlog[] = [];
  const look = async () => {
    for (const until = performance.now() + SHORT_MS; performance.now() < until; await load.pass(LOOK_MS)) {
      seen.push(await backlog());
    }
  };
  await stage.rounds(look);
  clearInterval(sending);
  const letGo = fleet.members[0]!.program.log.all.some(({ event }) => event === 'client-does-not-read');
  const most = (of: (one: Backlog) => number) => Math.max(...seen.map(of));
  stage.say(`the one that does not read was ${letGo ? '' : 'not '}let go`);
  stage.say(
    `most backlog ${most(({ messages }) => messages)} messages, most checkpoint ${most(({ checkpointBytes }) => checkpointBytes)} bytes`,
  );
  const sent = load.writers.reduce((sum, writer) => sum + writer.sent, 0);
  const perSecond = sent / ((performance.now() - beganAt) / 1000) + 1000 / BULK_EVERY_MS;
  const bound = SHARDS * perSecond * ((UNSAVED_MS + SLACK_MS) / 1000);
  assert.ok(most(({ messages }) => messages) < bound, `the backlog stays below ${Math.round(bound)} messages`);
  absent.comeBack();
  await absent.has(
    load.writers.flatMap(({ acknowledged, sentAt }) => acknowledged.filter((one) => sentAt.get(one)! > beganAt)),
    30_000,
  );
  await stage.finish();
  // Also of what the two that were away are owed: it is saved.
  let left = await backlog();
  for (const until = performance.now() + DONE_WITHIN_MS; left.messages > SHARDS && performance.now() < until; ) {
    await load.pass(LOOK_MS);
    left = await backlog();
  }
  // The newest stays: a subscription stands on it.
  assert.ok(left.messages <= SHARDS, `the backlog is gone at the end: ${left.messages} messages`);

  /** Of both shards' subscriptions of the data topic, and of both checkpoints. */
  async function backlog(): Promise<Backlog> {
    const namespace = stage.settings.PULSEGATE_PULSAR_NAMESPACE;
    const stats = (await admin(stage.pulsar, 'GET', `persistent/${namespace}/mqtt/stats`)) as {
      subscriptions: Record<string, { msgBacklog: number }>;
    };
    const messages = Array.from(
      { length: SHARDS },
      (_, shard) => stats.subscriptions[`pulsegate-shard-${shard}`]?.msgBacklog ?? 0,
    );
    const checkpoints = await Promise.all(Array.from({ length: SHARDS }, (_, shard) => rows.checkpoints(shard)));
    return {
      messages: messages.reduce((a, b) => a + b, 0),
      checkpointBytes: Math.max(...checkpoints.map((all) => JSON.stringify(all).length)),
    };
  }
});
