import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findingsOf } from '../../../functions/adapters/pulsar/policies.js';
import type { Pulsar } from '../../support/pulsar.js';
import { rest, transports } from './transports.js';

const COMMAND_DEADLINE_MS = 60_000;
/** One that takes from every feature, and what Pulsar's standalone has without being told. */
const BAD = {
  message_ttl_in_seconds: 60,
  subscription_expiration_time_minutes: 5,
  backlog_quota_map: { destination_storage: { limitSize: 1_000, limitTime: -1, policy: 'consumer_backlog_eviction' } },
  autoTopicCreationOverride: { allowAutoTopicCreation: false },
};
const CODES = [
  'no-retention',
  'message-ttl',
  'subscription-expiry',
  'backlog-quota',
  'no-auto-creation',
  'no-deduplication',
];

const [transport] = await transports();

describe('pulsar: policies of a namespace', () => {
  it('what the namespace does not say the broker decides', () => {
    const codes = (broker: Record<string, string>) => findingsOf('t/n', {}, broker).map(({ code }) => code);
    assert.deepEqual(codes({}), ['no-retention', 'no-deduplication']);
    const retained = { defaultRetentionTimeInMinutes: '60', defaultRetentionSizeInMB: '-1' };
    assert.deepEqual(codes({ ...retained, brokerDeduplicationEnabled: 'true' }), []);
    assert.ok(codes({ ttlDurationDefaultInSeconds: '60' }).includes('message-ttl'));
    assert.ok(codes({ subscriptionExpirationTimeMinutes: '5' }).includes('subscription-expiry'));
    assert.ok(!codes({ subscriptionExpirationTimeMinutes: '0' }).includes('subscription-expiry'));
    assert.ok(codes({ allowAutoTopicCreation: 'false' }).includes('no-auto-creation'));
    const hold = { backlogQuotaDefaultRetentionPolicy: 'producer_request_hold' };
    assert.ok(!codes({ ...hold, backlogQuotaDefaultLimitBytes: '-1' }).includes('backlog-quota'));
    assert.ok(codes({ ...hold, backlogQuotaDefaultLimitBytes: '1000' }).includes('backlog-quota'));
  });

  if (transport === undefined) return;
  const { pulsar, open } = transport;

  it('what they would take from a feature is said once, with the command of Pulsar that mends it', async () => {
    const namespace = `public/policies-${process.pid}`;
    await rest(pulsar, 'PUT', `namespaces/${namespace}`, BAD);
    const before = await saidOf(namespace);
    assert.deepEqual(
      before.map(({ code }) => code),
      CODES,
    );
    const remedies = before.map(({ remedy = '' }) => remedy);
    for (const remedy of remedies) assert.match(remedy, /^pulsar-admin namespaces /);
    const output = runAll(pulsar, remedies);
    assert.deepEqual(await saidOf(namespace), [], output);
  });

  it('other namespaces that topics are in are looked at, too', async () => {
    const [own, other] = [`public/policies-${process.pid}-own`, `public/policies-${process.pid}-other`];
    for (const namespace of [own, other]) await rest(pulsar, 'PUT', `namespaces/${namespace}`, BAD);
    const said = await saidOf(own, [other, other, own]);
    assert.deepEqual(
      said.map(({ namespace }) => namespace),
      [...CODES.map(() => own), ...CODES.map(() => other)],
    );
  });

  it('one of them that is not there is waited for, with the command that makes it', async () => {
    const missing = `public/policies-${process.pid}-missing`;
    const log = await open({ namespace: 'public/default', namespaces: [missing] });
    const message = `Pulsar has no namespace ${missing}: pulsar-admin namespaces create ${missing}`;
    await assert.rejects(log.check(), { code: 'unavailable', message });
    await rest(pulsar, 'PUT', `namespaces/${missing}`);
    await log.check();
    await log.close();
  });

  async function saidOf(namespace: string, namespaces: string[] = []): Promise<Record<string, string>[]> {
    const said: Record<string, string>[] = [];
    const log = await open({
      namespace,
      namespaces,
      tell: (_level, event, about) => {
        if (event === 'pulsar-policy') said.push(about as Record<string, string>);
      },
    });
    await log.check();
    await log.check();
    await log.close();
    return said;
  }
});

/** As somebody who reads the log would, by Pulsar's own program; one process for all, because each takes seconds to begin. */
function runAll(pulsar: Pulsar, commands: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'pulsegate-commands-'));
  const [conf, file] = [join(directory, 'client.conf'), join(directory, 'commands')];
  writeFileSync(conf, `webServiceUrl=${pulsar.web}\nbrokerServiceUrl=${pulsar.broker}\n`);
  writeFileSync(file, commands.map((command) => `${command.replace(/^pulsar-admin/, 'admin')}\n`).join(''));
  const args = ['-c', conf, '--no-progress', '-f', file];
  const home = spawnSync(process.execPath, ['infra/fetch-pulsar.mjs'], { encoding: 'utf8' }).stdout.trim();
  const run = spawnSync(join(home, 'bin/pulsar-shell'), args, {
    encoding: 'utf8',
    timeout: COMMAND_DEADLINE_MS,
    env: { ...process.env, HOME: directory, PULSAR_LOG_DIR: directory },
  });
  rmSync(directory, { recursive: true, force: true });
  return `${run.error ?? ''}${run.stdout}${run.stderr}`;
}
