import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anonymous } from '../../../functions/adapters/auth/anonymous.js';

const CREDENTIALS = { clientId: 'c', username: undefined, password: undefined, peer: '127.0.0.1:1' };

test('everybody is admitted, and is nobody, because no name is proved', async () => {
  assert.deepEqual(await anonymous.authenticate(CREDENTIALS), { admitted: true, principal: '' });
  const named = { ...CREDENTIALS, username: 'ada', password: Buffer.from('any') };
  assert.deepEqual(await anonymous.authenticate(named), { admitted: true, principal: '' });
});
