import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atBothLevels, StockClient } from '../support/clients.js';
import { BACKING } from '../support/patience.js';
import { Program } from '../support/program.js';
import type { StockLevel } from '../support/raw-client.js';
import { type Scope, unique } from '../support/waiting.js';
import { payloadOf, Receiver } from './exactly-once/receiver.js';

/** More than the program keeps in memory for one client, so that some of it waits in the store. */
const MESSAGES = 1_500;
const RECEIVERS = 5;
const PUBLISHERS = 60;
const MESSAGES_PER_PUBLISHER = 45;
/** Of one publisher, on their way. */
const LANES = 4;

/** What takes its time on Pulsar is to start the program again and again: there one level has to do. */
const atItsLevels: typeof atBothLevels =
  BACKING === 'embedded'
    ? atBothLevels
    : (fact, prove) => void test(`${fact} (MQTT 5)`, (context) => prove(5, context));

atItsLevels('QoS 2 comes once and in order to a client that loses its connection again and again', async (level, t) => {
  const program = await Program.start(t);
  const { receiver, publishing, settle } = await begun(t, program, level);
  for (const share of [0.1, 0.2, 0.4, 0.6, 0.8]) {
    await receiver.has(share * MESSAGES);
    await receiver.connect();
  }
  await publishing;
  await settle();
});

atItsLevels('the same if the program is killed while the client is connected', async (level, t) => {
  const program = await Program.start(t);
  const { receiver, publishing, settle } = await begun(t, program, level);
  await publishing;
  await killAgainAndAgain(program, receiver, [0.2, 0.4, 0.7]);
  await settle();
});

atItsLevels('the same if the program is killed while the client is away', async (level, t) => {
  const program = await Program.start(t);
  const { receiver, publishing, settle } = await begun(t, program, level);
  await receiver.has(0.2 * MESSAGES);
  await receiver.drop();
  await publishing;
  await program.kill();
  await program.start();
  await receiver.connect();
  await receiver.has(0.5 * MESSAGES);
  await receiver.connect();
  await settle();
});

atItsLevels('the same if the program is killed while it delivers what was queued', async (level, t) => {
  const program = await Program.start(t);
  const { receiver, publishing, settle } = await begun(t, program, level, 'away');
  await publishing;
  await receiver.connect();
  await killAgainAndAgain(program, receiver, [0.1, 0.3, 0.5, 0.7]);
  await settle();
});

atItsLevels('the same if the program is killed as soon as it begins to deliver what was queued', async (level, t) => {
  const program = await Program.start(t);
  const { receiver, publishing, settle } = await begun(t, program, level, 'away');
  await publishing;
  receiver.isMute = true;
  for (let time = 0; time < 3; time += 1) {
    await receiver.connect();
    await receiver.isSentSomething();
    await program.kill();
    await program.start();
  }
  receiver.isMute = false;
  await receiver.connect();
  await receiver.has(MESSAGES);
  await receiver.connect();
  await settle();
});

atItsLevels(
  'the same if some was under way and the rest queued, and the program is killed at resume',
  async (level, t) => {
    const program = await Program.start(t);
    const { receiver, publishing, settle } = await begun(t, program, level);
    receiver.isMute = true;
    await receiver.isSentSomething();
    await receiver.drop();
    await publishing;
    receiver.isMute = false;
    for (const share of [0, 0.02, 0.1, 0.3]) {
      await receiver.connect();
      await (share === 0 ? receiver.isSentSomething() : receiver.has(share * MESSAGES));
      await program.kill();
      await program.start();
      await receiver.connect();
      await receiver.has((share + 0.05) * MESSAGES);
    }
    await receiver.connect();
    await receiver.has(MESSAGES);
    await receiver.connect();
    await settle();
  },
);

atItsLevels('the same if the client answers nothing before the program is killed', async (level, t) => {
  const program = await Program.start(t);
  const { receiver, publishing, settle } = await begun(t, program, level);
  receiver.isMute = true;
  await publishing;
  await receiver.drop();
  await program.kill();
  await program.start();
  receiver.isMute = false;
  await receiver.connect();
  await receiver.has(0.5 * MESSAGES);
  await receiver.connect();
  await settle();
});

atItsLevels('QoS 2 keeps its order, PUBREL too, where many publish to several amid QoS 1', async (level, t) => {
  const program = await Program.start(t);
  const root = unique('crowd');
  const receivers = Array.from({ length: RECEIVERS }, () => new Receiver(t, program.url, level, `${root}/+`));
  for (const receiver of receivers) await receiver.connect();
  const names = Array.from({ length: PUBLISHERS }, (_, i) => `p${i}`);
  const publishers = await Promise.all(names.map(() => StockClient.connect(t, program.url, level)));
  const publish = async (publisher: StockClient, name: string) => {
    let number = 0;
    const lane = async () => {
      while (number < MESSAGES_PER_PUBLISHER) {
        const payload = payloadOf(name, number);
        number += 1;
        await publisher.publish(`${root}/${name}`, payload, { qos: 2 });
        await publisher.publish(`${root}/${name}`, 'between', { qos: 1, retain: true });
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  };
  await Promise.all(publishers.map((publisher, i) => publish(publisher, names[i] as string)));
  await Promise.all(receivers.map((receiver) => receiver.has(PUBLISHERS * MESSAGES_PER_PUBLISHER)));
  const faults = receivers.flatMap((receiver) => receiver.faults);
  assert.deepEqual(faults.slice(0, 5), [], `${faults.length} faults`);
});

/** A receiver that is subscribed, and a publisher at work. `settle` waits until all is there, once and in order. */
async function begun(scope: Scope, program: Program, level: StockLevel, where: 'there' | 'away' = 'there') {
  const topic = unique('once');
  const receiver = new Receiver(scope, program.url, level, topic);
  await receiver.connect();
  if (where === 'away') await receiver.drop();
  const publisher = await StockClient.connect(scope, program.url, level);
  const all = Array.from({ length: MESSAGES }, (_, i) => publisher.publish(topic, payloadOf('p', i), { qos: 2 }));
  const settle = async () => {
    await receiver.has(MESSAGES);
    // Whatever else was to come has come before this one.
    const last = await StockClient.connect(scope, program.url, level);
    await last.publish(topic, payloadOf('p', MESSAGES), { qos: 2 });
    await receiver.find(payloadOf('p', MESSAGES));
    assert.deepEqual(receiver.faults.slice(0, 5), [], `${receiver.faults.length} faults`);
  };
  return { receiver, publishing: Promise.all(all), settle };
}

/** Each time a good while after the one before, with a lost connection between. */
async function killAgainAndAgain(program: Program, receiver: Receiver, shares: readonly number[]): Promise<void> {
  for (const share of shares) {
    await receiver.has(share * MESSAGES);
    await program.kill();
    await program.start();
    await receiver.connect();
    await receiver.has((share + 0.1) * MESSAGES);
    await receiver.connect();
  }
}
