import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, type TestContext, test } from 'node:test';
import { makeCertificate } from '../support/certificate.js';
import { notRun } from '../support/parts.js';
import { freePort } from '../support/ports.js';
import { Program } from '../support/program.js';
import { Inbox, unique, within } from '../support/waiting.js';

const LEVELS = [
  ['3.1', 'mqttv31'],
  ['3.1.1', 'mqttv311'],
  ['5', 'mqttv5'],
] as const;

/** What a subscriber printed: QoS, retain, topic and payload. */
const FORMAT = '%q %r %t %p';

class Subscriber {
  readonly lines = new Inbox<string>();
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(context: TestContext, args: readonly string[]) {
    // `-d` says when SUBACK is there, and into a pipe only a line at a time if it is made to.
    this.#process = spawn('stdbuf', ['-oL', 'mosquitto_sub', ...args, '-d', '-F', FORMAT], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: this.#process.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      this.lines.add(line),
    );
    this.#exited = new Promise((resolve) => this.#process.once('exit', resolve));
    context.after(() => void this.#process.kill('SIGKILL'));
  }

  async subscribed(): Promise<this> {
    await this.lines.find('SUBACK', (line) => /^Subscribed|received SUBACK/.test(line));
    return this;
  }

  async says(line: string): Promise<void> {
    await this.lines.find(line, (said) => said === line);
  }

  /** Of itself, with a DISCONNECT: after the first message, where it was told `-C 1`. A signal may find it locked. */
  async ended(): Promise<void> {
    await within('mosquitto_sub ends', this.#exited);
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.ended();
  }
}

function publish(args: readonly string[]): void {
  const { status, stderr } = spawnSync('mosquitto_pub', args, { encoding: 'utf8', timeout: 10_000 });
  assert.equal(status, 0, stderr);
}

if (spawnSync('mosquitto_pub', ['--help']).error !== undefined) {
  notRun('mosquitto_pub and mosquitto_sub', 'they are not installed; infra/test-dependencies.sh installs them');
  test('mosquitto_pub is not here', () => {});
} else {
  const certificate = makeCertificate();
  const [plain, secure] = [await freePort(), await freePort()];
  const listen = ['ws://127.0.0.1:0/mqtt', `mqtt://127.0.0.1:${plain}`];
  const tls = certificate && { PULSEGATE_TLS_CERT: certificate.certFile, PULSEGATE_TLS_KEY: certificate.keyFile };
  if (tls) listen.push(`mqtts://127.0.0.1:${secure}`);
  await Program.start({ after }, { PULSEGATE_LISTEN: listen.join(), ...tls });
  const endpoints: [string, string[]][] = [['mqtt', ['-h', '127.0.0.1', '-p', String(plain)]]];
  if (certificate) {
    endpoints.push(['mqtts', ['-h', '127.0.0.1', '-p', String(secure), '--cafile', certificate.certFile]]);
  }

  for (const [scheme, address] of endpoints) {
    for (const [level, version] of LEVELS) {
      const at = [...address, '-V', version];
      const title = `mosquitto over ${scheme}, MQTT ${level}`;

      test(`${title}: QoS 0, 1 and 2`, async (t) => {
        const topic = unique(`${scheme}-${version}`);
        const subscriber = await new Subscriber(t, [...at, '-t', `${topic}/+`, '-q', '2']).subscribed();
        for (const qos of ['0', '1', '2']) {
          publish([...at, '-t', `${topic}/${qos}`, '-m', `payload ${qos}`, '-q', qos]);
          await subscriber.says(`${qos} 0 ${topic}/${qos} payload ${qos}`);
        }
      });

      test(`${title}: retained messages, set and cleared`, async (t) => {
        const topic = unique(`${scheme}-${version}-retained`);
        publish([...at, '-t', topic, '-m', 'kept', '-q', '1', '-r']);
        const first = new Subscriber(t, [...at, '-t', topic, '-q', '1']);
        await first.says(`1 1 ${topic} kept`);
        publish([...at, '-t', topic, '-n', '-q', '1', '-r']);
        const second = await new Subscriber(t, [...at, '-t', topic, '-q', '1']).subscribed();
        publish([...at, '-t', topic, '-m', 'live', '-q', '1']);
        await second.says(`1 0 ${topic} live`);
        assert.ok(!second.lines.all.some((line) => line.endsWith('kept')));
      });

      test(`${title}: a killed client's will is published, an ended one's is not`, async (t) => {
        const topic = unique(`${scheme}-${version}-will`);
        const witness = await new Subscriber(t, [...at, '-t', `${topic}/#`, '-q', '1']).subscribed();
        const will = (name: string) => {
          const idle = ['-t', `${topic}-${name}`, '-q', '1'];
          return [...idle, '--will-topic', `${topic}/${name}`, '--will-payload', 'gone', '--will-qos', '1'];
        };
        const polite = await new Subscriber(t, [...at, ...will('polite'), '-C', '1']).subscribed();
        publish([...at, '-t', `${topic}-polite`, '-m', 'enough', '-q', '1']);
        await polite.ended();
        const lost = await new Subscriber(t, [...at, ...will('lost')]).subscribed();
        await lost.kill();
        await witness.says(`1 0 ${topic}/lost gone`);
        assert.ok(!witness.lines.all.some((line) => line.includes('polite')));
      });

      test(`${title}: a session that persists has what came meanwhile`, async (t) => {
        const topic = unique(`${scheme}-${version}-resumed`);
        const expiry = version === 'mqttv5' ? ['-x', '300'] : [];
        const session = [...at, '-i', topic, '-c', ...expiry, '-t', topic, '-q', '2'];
        const first = await new Subscriber(t, [...session, '-C', '1']).subscribed();
        publish([...at, '-t', topic, '-m', 'enough', '-q', '1']);
        await first.ended();
        publish([...at, '-t', topic, '-m', 'missed', '-q', '2']);
        await new Subscriber(t, session).says(`2 0 ${topic} missed`);
      });
    }
  }
}
