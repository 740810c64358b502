import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { secretsManager } from '../../../functions/adapters/secrets/secrets-manager.js';
import { PortError } from '../../../functions/ports/errors.js';
import { notRun } from '../../support/parts.js';
import { freePort } from '../../support/ports.js';
import { testSecrets } from '../../support/secrets.js';

const secrets = await testSecrets();
if (typeof secrets === 'string') notRun('Secrets Manager', secrets);
else {
  Object.assign(process.env, secrets.env);
  describe('Secrets Manager', () => {
    const read = secretsManager(() => 'eu-central-1');

    test('a secret is read by its name, as text or as bytes of text', async () => {
      assert.equal(await read(await secrets.make('täxt')), 'täxt');
      assert.equal(await read(await secrets.make(Buffer.from('bytes'))), 'bytes');
    });

    test('a secret is read as it is now', async () => {
      const name = await secrets.make('old');
      assert.equal(await read(name), 'old');
      await secrets.change(name, 'new');
      assert.equal(await read(name), 'new');
    });

    test('by an ARN it is looked for in the region of the ARN', async () => {
      const arn = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:elsewhere-abcdef';
      const nowhere = secretsManager(() => assert.fail('a region was asked for'));
      await assert.rejects(nowhere(arn), { code: 'refused' });
    });

    test('one that is not there is refused by its name', async () => {
      const name = await secrets.make('x');
      await secrets.remove(name);
      await assert.rejects(read(name), (error) => {
        return error instanceof PortError && error.code === 'refused' && error.message.includes(name);
      });
    });

    test('where nobody answers, it is unavailable', async () => {
      process.env.AWS_ENDPOINT_URL_SECRETS_MANAGER = `http://127.0.0.1:${await freePort()}`;
      const unreachable = secretsManager(() => 'eu-west-1');
      await assert.rejects(unreachable('any'), { code: 'unavailable' });
    });
  });
}
