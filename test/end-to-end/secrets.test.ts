import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { hashPassword } from '../../functions/adapters/auth/users.js';
import { StockClient } from '../support/clients.js';
import { notRun } from '../support/parts.js';
import { Program } from '../support/program.js';
import { type TestSecrets, testSecrets } from '../support/secrets.js';
import { issuer, pemOf, tokenOf } from '../support/tokens.js';
import { eventually, within } from '../support/waiting.js';

const secrets = await testSecrets();
if (typeof secrets === 'string') notRun('secrets', secrets);
else describe('secrets', { concurrency: true }, () => onSecrets(secrets));

function onSecrets({ env, make, change, remove }: TestSecrets): void {
  const started = (settings: Record<string, string>) => Program.start({ after }, { ...env, ...settings });
  const line = async (name: string, password: string) => `${name}:${await hashPassword(Buffer.from(password))}\n`;

  test('users are those of the secret, and a new one is let in once it is asked for anew', async (t) => {
    const ada = await line('ada', 'engine');
    const name = await make(JSON.stringify({ users: ada }));
    const { url } = await started({ PULSEGATE_AUTH: `users:secrets:${name}#users` });
    const enters = (username: string, password: string) => StockClient.connect(t, url, 5, { username, password });
    await enters('ada', 'engine');
    await assert.rejects(enters('bob', 'builder'), { code: 0x86 });
    await change(name, JSON.stringify({ users: ada + (await line('bob', 'builder')) }));
    const isIn = () =>
      enters('bob', 'builder').then(
        () => true,
        () => false,
      );
    await within('bob is let in', eventually(isIn), 15_000);
    await enters('ada', 'engine');
  });

  test('a pinned key is the one of the secret, and a new one is taken once it is asked for anew', async (t) => {
    const [old, renewed] = [issuer(), issuer()];
    const name = await make(pemOf(old));
    const { url } = await started({ PULSEGATE_AUTH: `jwt:secrets:${name}` });
    const token = await tokenOf(renewed, { sub: 'ada' });
    await StockClient.connect(t, url, 5, { username: 'x', password: await tokenOf(old, { sub: 'ada' }) });
    await change(name, pemOf(renewed));
    const isIn = () =>
      StockClient.connect(t, `${url}?access_token=${token}`, 5).then(
        () => true,
        () => false,
      );
    await within('the new key is taken', eventually(isIn), 15_000);
  });

  test('rules are those of the secret', async (t) => {
    const name = await make(JSON.stringify([{ publish: ['ok'] }]));
    const { url } = await started({ PULSEGATE_ACL: `secrets:${name}` });
    const client = await StockClient.connect(t, url, 5);
    await client.publish('ok', 'x', { qos: 1 });
    await assert.rejects(client.publish('no', 'x', { qos: 1 }), { code: 0x87 });
  });

  test('without its secret nobody can be judged: clients are asked to come again', async (t) => {
    const name = await make('x');
    await remove(name);
    const { url, log } = await started({ PULSEGATE_AUTH: `users:secrets:${name}` });
    const password = 'x';
    await assert.rejects(StockClient.connect(t, url, 5, { username: 'ada', password }), { code: 0x88 });
    await log.find('why', ({ event, error }) => event === 'authenticator-failed' && String(error).includes(name));
  });
}
