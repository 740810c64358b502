// A QoS 2 publication whose edge is killed between append and PUBREC is retried at the other edge, much later: it is in the log once.
import assert from 'node:assert/strict';
import { portOf } from '../pulsar/transports.js';
import { openCutLine } from '../support/cut-line.js';
import { readAll } from '../support/pulsar-reader.js';
import { within } from '../support/waiting.js';
import { drill } from './drill.js';
import { Reader } from './load/reader.js';
import { Writer } from './load/writer.js';

/** The issue says three minutes; what counts is that it is longer than PULSEGATE_APPEND_DEADLINE_MS. */
const AWAY_MS = { short: 5_000, long: 180_000 };
const IN_DOUBT = 5;
const DEADLINE_MS = 15_000;
const BETWEEN_MS = 1_500;

drill('in-doubt', 'an edge is killed between append and PUBREC, and the other is asked again later', async (stage) => {
  const awayMs = stage.isLong ? AWAY_MS.long : AWAY_MS.short;
  const line = await openCutLine(portOf(stage.pulsar.web));
  stage.scope.after(() => line.close());
  const fleet = await stage.fleet(2, ['edge', 'fan-out']);
  // What Pulsar answers this edge can be held back; over its WebSocket API there is no other way to it.
  const doubtful = await fleet.start('edge', {
    PULSEGATE_LOG: `pulsar+ws://127.0.0.1:${line.port}`,
    PULSEGATE_PULSAR_WEB: `http://127.0.0.1:${line.port}`,
  });
  const other = fleet.members[0]!;
  const reader = new Reader({ url: () => other.program.url }, { name: 'doubting', level: 5, filter: 'doubt/#' });
  const load = await stage.load(fleet);
  let url = doubtful.program.url;
  const writer = new Writer(
    { url: () => url },
    { name: 'doubtful', qos: 2, level: 5, topic: 'doubt/a', reconnectMs: awayMs },
  );
  stage.scope.after(async () => {
    for (const client of [reader, writer]) client.end();
  });
  await within('the reader is subscribed', reader.subscribe());
  writer.publish();
  await reader.has([...writer.sentAt.keys()], DEADLINE_MS);
  await load.pass(BETWEEN_MS);
  line.hold();
  for (let i = 0; i < IN_DOUBT; i += 1) writer.publish();
  const sent = [...writer.sentAt.keys()];
  await within('the log has them', inLog(sent), DEADLINE_MS);
  assert.equal(writer.unanswered.length, IN_DOUBT, 'none of them was answered');
  url = other.program.url;
  const at = load.fault();
  await doubtful.kill();
  await load.delivered(at);
  await within('the answers of the other edge', writer.finish(), awayMs + DEADLINE_MS);
  stage.say(`answered ${Math.round(performance.now() - at)} ms after the kill`);
  assert.deepEqual(writer.acknowledged, sent);
  await reader.has(sent, DEADLINE_MS);
  await stage.finish();
  assert.deepEqual(reader.arrivals.all, sent, 'each once, in order, at the reader');
  assert.deepEqual(await doubtfulInLog(), sent, 'each once, in order, in the log');

  async function doubtfulInLog(): Promise<string[]> {
    const all = await readAll(stage.pulsar, `${stage.settings.PULSEGATE_PULSAR_NAMESPACE}/mqtt`);
    return all.map(({ payload }) => payload).filter((payload) => payload.startsWith('doubtful:'));
  }

  async function inLog(payloads: readonly string[]): Promise<void> {
    while ((await doubtfulInLog()).length < payloads.length) await load.pass(300);
  }
});
