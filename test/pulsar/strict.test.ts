import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { loadNative } from '../../functions/adapters/pulsar/native/client.js';
import { StockClient, texts } from '../support/clients.js';
import { notRun } from '../support/parts.js';
import { Program, runProgram } from '../support/program.js';
import { RawClient } from '../support/raw-client.js';
import { isReady, readiness } from '../support/readiness.js';
import { testSecrets } from '../support/secrets.js';
import { unique, within } from '../support/waiting.js';
import { type StrictPulsar, strictPulsar } from './strict.js';

const file = { after: (end: () => Promise<void>) => after(end) };
const strict = await strictPulsar(file);
const kept = await testSecrets();
if (typeof kept === 'string') notRun("a token of Pulsar's in Secrets Manager", kept);
const secrets = typeof kept === 'string' ? null : kept;
/** Long enough to subscribe and publish with it on a busy machine. */
const TOKEN_LIFE_S = 15;
const APP = { permissions: ['produce', 'consume'] };

describe('Pulsar with tokens and TLS', { concurrency: true }, () => {
  if (strict !== null) for (const name of namesOfTransports()) onTransport(strict, name);
});

function onTransport(strict: StrictPulsar, name: string): void {
  const { admin, token, directory } = strict;

  describe(name, { concurrency: true }, () => {
    const namespace = (what: string) => `public/${name}-${what}`;
    const begun = begin(strict, name, namespace);

    test('an application with a token publishes and subscribes at every QoS', async (t) => {
      const { program } = await begun;
      const client = await StockClient.connect(t, program.url, 5);
      const topic = unique('fine');
      await client.subscribe(`${topic}/+`);
      for (const qos of [0, 1, 2] as const) await client.publish(`${topic}/${qos}`, 'x', { qos, retain: qos === 1 });
      const arrived = await client.messages.until('all', (all) => all.length === 3);
      assert.deepEqual(texts(arrived).sort(), [`${topic}/0 x`, `${topic}/1 x`, `${topic}/2 x`]);
    });

    const REFUSED: readonly { what: string; topic: string; words: RegExp }[] = [
      {
        what: 'may not be made, by its namespace',
        topic: 'off/x',
        words: /off\/off%2Fx .*not found.*create-partition/,
      },
      { what: 'may not be made, by its route', topic: 'no/x', words: /\/no .*route.*create-partitioned-topic/ },
      { what: 'belongs to others', topic: 'foreign/x', words: /40[13] Unauthorized to .*foreign/ },
      { what: 'is terminated', topic: 'ended/x', words: /[Tt]erminated/ },
    ];
    for (const { what, topic, words } of REFUSED) {
      test(`a topic of Pulsar that ${what} is 0x87, and Pulsar's own words are logged`, async (t) => {
        const { program } = await begun;
        const { client } = await RawClient.connect(t, program.url, 5);
        client.send(publish(topic, 1, 1));
        assert.equal((await client.next('puback')).reasonCode, 0x87);
        client.send(publish(topic, 2, 2));
        assert.equal((await client.next('pubrec')).reasonCode, 0x87);
        client.send(publish('fine', 1, 3));
        assert.equal((await client.next('puback')).reasonCode ?? 0, 0, 'the connection lives on');
        const said = ({ event, error }: { event: string; error?: unknown }) =>
          /^pulsar-(topic-refused|append-refused|producer-failed)$/.test(event) && words.test(String(error));
        await program.log.find(`${words}`, said);
      });

      test(`a client of MQTT 3.1.1 is closed for a topic that ${what}, and no other is`, async (t) => {
        const { program } = await begun;
        const [{ client }, { client: other }] = await Promise.all([
          RawClient.connect(t, program.url, 4),
          RawClient.connect(t, program.url, 4),
        ]);
        client.send(publish(topic, 1, 1));
        await client.closeCode();
        assert.equal(client.packets.all.filter(({ cmd }) => cmd === 'puback').length, 0);
        other.send(publish('fine', 1, 1));
        await other.next('puback');
      });
    }

    test('a filter that only topics of others match is refused by SUBACK', async (t) => {
      const { program } = await begun;
      for (const [level, code] of [
        [5, 0x87],
        [4, 0x80],
      ] as const) {
        const { client } = await RawClient.connect(t, program.url, level);
        client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'foreign/+', qos: 1 }] });
        assert.deepEqual((await client.next('suback')).granted, [code]);
      }
    });

    test('a backlog over its quota is 0x97 until there is room again', async (t) => {
      const { program } = await begun;
      const path = `persistent/${namespace('quota')}/full%252Fx`;
      const { client } = await RawClient.connect(t, program.url, 5);
      const { client: three } = await RawClient.connect(t, program.url, 4);
      let messageId = 0;
      const codeOf = async (topic: string, payload: string) => {
        messageId += 1;
        client.send({ ...publish(topic, 1, messageId), payload });
        return (await client.next('puback')).reasonCode ?? 0;
      };
      assert.equal(await codeOf('full/x', ''), 0);
      await admin('PUT', `${path}/subscription/slow`, { ledgerId: -1, entryId: -1, partitionIndex: -1 });
      const becomes = async (code: number) => {
        for (;;) {
          const found = await codeOf('full/x', 'x'.repeat(3_000));
          if (found === code) return;
          assert.ok(found === 0 || found === 0x97 || found === 0x83, String(found));
          await new Promise((again) => setTimeout(again, 100));
        }
      };
      await within('0x97', becomes(0x97), 15_000);
      await program.log.find('the quota', ({ error }) => /[Qq]uota/.test(String(error)));
      three.send(publish('full/x', 1, 1));
      await three.closeCode();
      assert.equal(await codeOf('fine', ''), 0);
      await admin('DELETE', `${path}/subscription/slow?force=true`);
      await within('room', becomes(0), 15_000);
    });

    test('a payload over what Pulsar takes is 0x95, and nobody else notices', async (t) => {
      const { program } = await begun;
      const [{ client: five }, { client: three }, { client: other }] = await Promise.all([
        RawClient.connect(t, program.url, 5),
        RawClient.connect(t, program.url, 4),
        RawClient.connect(t, program.url, 5),
      ]);
      const payload = Buffer.alloc(name === 'native' ? 5 * 1024 * 1024 : 800_000, 'x');
      five.send({ ...publish('fine', 1, 1), payload });
      assert.equal((await five.next('disconnect')).reasonCode, 0x95);
      three.send({ ...publish('fine', 1, 1), payload });
      await three.closeCode();
      other.send(publish('fine', 1, 1));
      assert.equal((await other.next('puback')).reasonCode ?? 0, 0);
      await program.log.find('the size', ({ error }) => /TooBig|Pulsar takes a message of/.test(String(error)));
    });

    test('a token that Pulsar does not know ends the start, with what it says', async () => {
      const outcome = await runProgram({
        ...settingsOf(strict, name),
        PULSEGATE_PULSAR_NAMESPACE: namespace('app'),
        PULSEGATE_PULSAR_TOKEN: token('app', { isForged: true }),
        PULSEGATE_STORE: `embedded:${join(directory, name)}`,
        PULSEGATE_LISTEN: 'ws://127.0.0.1:0/mqtt',
      });
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr, /401 .*Authentication required/);
    });

    test('a token that has run out is said, and its file read again once it is renewed', async (t) => {
      await begun;
      const tokenFile = join(directory, `${name}.token`);
      writeFileSync(tokenFile, token('app', { endsAtS: secondsFromNow(TOKEN_LIFE_S) }));
      const program = await Program.start(t, {
        ...settingsOf(strict, name),
        PULSEGATE_PULSAR_NAMESPACE: namespace('app'),
        PULSEGATE_ROUTES: `# -> keyed:${unique('renewed')}`,
        PULSEGATE_PULSAR_TOKEN: `file:${tokenFile}`,
      });
      const client = await StockClient.connect(t, program.url, 5);
      await client.subscribe('a/#');
      await client.publish('a/b', 'before', { qos: 1 });
      await client.messages.find('before', ({ payload }) => payload === 'before');
      await isReady(program, false);
      assert.match(await readiness(program), /Authentication required/);
      writeFileSync(tokenFile, token('app'));
      await isReady(program);
      await publishes(t, program, 'a/b', 'after');
      await client.messages.find('after', ({ payload }) => payload === 'after', 40_000);
    });

    test('a token out of a secret that has run out is asked for anew, and publishing goes on', async (t) => {
      if (secrets === null) return;
      await begun;
      const secret = await secrets.make(
        JSON.stringify({ token: token('app', { endsAtS: secondsFromNow(TOKEN_LIFE_S) }) }),
      );
      const program = await Program.start(t, {
        ...settingsOf(strict, name),
        ...secrets.env,
        PULSEGATE_PULSAR_NAMESPACE: namespace('app'),
        PULSEGATE_ROUTES: `# -> keyed:${unique('secret')}`,
        PULSEGATE_PULSAR_TOKEN: `secrets:${secret}#token`,
      });
      const client = await StockClient.connect(t, program.url, 5);
      await client.subscribe('a/#');
      await client.publish('a/b', 'before', { qos: 1 });
      await client.messages.find('before', ({ payload }) => payload === 'before');
      await isReady(program, false);
      await secrets.change(secret, JSON.stringify({ token: token('app') }));
      await isReady(program);
      await publishes(t, program, 'a/b', 'after');
      await client.messages.find('after', ({ payload }) => payload === 'after', 40_000);
    });
  });
}

function secondsFromNow(s: number): number {
  return Math.ceil(Date.now() / 1_000) + s;
}

function publish(topic: string, qos: 1 | 2, messageId: number) {
  return { cmd: 'publish', topic, payload: 'x', qos, messageId, dup: false, retain: false } as const;
}

/** Some connections to Pulsar have to be made anew first. */
async function publishes(t: TestContext, program: Program, topic: string, payload: string): Promise<void> {
  for (const deadline = Date.now() + 40_000; ; ) {
    const client = await StockClient.connect(t, program.url, 5);
    try {
      return await client.publish(topic, payload, { qos: 1 });
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await client.disconnect();
      await new Promise((again) => setTimeout(again, 200));
    }
  }
}

async function begin(strict: StrictPulsar, name: string, namespace: (what: string) => string) {
  const { admin, token } = strict;
  await Promise.all(['app', 'off', 'quota', 'foreign'].map((what) => admin('PUT', `namespaces/${namespace(what)}`)));
  for (const what of ['app', 'off', 'quota']) {
    await admin('POST', `namespaces/${namespace(what)}/permissions/app`, APP.permissions);
  }
  await admin('POST', `namespaces/${namespace('off')}/autoTopicCreation`, { allowAutoTopicCreation: false });
  const quota = { limitSize: 1_000, policy: 'producer_exception' };
  await admin('POST', `namespaces/${namespace('quota')}/backlogQuota?backlogQuotaType=destination_storage`, quota);
  await admin('PUT', `persistent/${namespace('app')}/ended`);
  await admin('POST', `persistent/${namespace('app')}/ended/terminate`);
  const mop = ['off', 'foreign', 'full'].map((what) => [what, namespace(what === 'full' ? 'quota' : what)]);
  const routes = mop.map(([what, where]) => `${what}/# -> mop:${where}`);
  const program = await Program.start(file, {
    ...settingsOf(strict, name),
    PULSEGATE_PULSAR_TOKEN: token('app'),
    PULSEGATE_PULSAR_NAMESPACE: namespace('app'),
    PULSEGATE_ROUTES: [...routes, 'no/# -> keyed:no?make=no', 'ended/# -> keyed:ended', '# -> keyed:mqtt'].join(', '),
    PULSEGATE_PACKET_MAX_BYTES: String(8 * 1024 * 1024),
  });
  return { program };
}

function settingsOf({ secure, caFile }: StrictPulsar, name: string): Record<string, string> {
  const isNative = name === 'native';
  return {
    PULSEGATE_LOG: isNative ? `pulsar+ssl://127.0.0.1:${secure.broker}` : `pulsar+wss://127.0.0.1:${secure.web}`,
    ...(isNative && { PULSEGATE_PULSAR_WEB: `https://127.0.0.1:${secure.web}` }),
    PULSEGATE_PULSAR_CA: caFile,
  };
}

function namesOfTransports(): string[] {
  try {
    loadNative();
    return ['websocket', 'native'];
  } catch (error) {
    notRun('native addon: Pulsar with tokens and TLS', (error as Error).message);
    return ['websocket'];
  }
}
