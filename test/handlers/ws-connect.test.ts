import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from '../../functions/handlers/ws-connect.js';
import type { Authenticator } from '../../functions/ports/authenticator.js';
import { PortError } from '../../functions/ports/errors.js';
import { silent } from '../../functions/ports/telemetry.js';
import type { GatewayFrames } from '../../functions/runtime/gateway-frames.js';

const CONTEXT = { connectionId: 'id', domainName: 'host', stage: 'stage' };

/** What `$connect` answers, and what it has opened. */
async function connecting(event: object, checkToken?: Authenticator['checkToken']) {
  const opened: unknown[][] = [];
  const frames = { open: async (...args: unknown[]) => void opened.push(args) } as unknown as GatewayFrames;
  const authenticator: Authenticator = {
    authenticate: async () => ({ admitted: true, principal: '' }),
    ...(checkToken && { checkToken }),
  };
  const functions = async () => ({ frames, authenticator, telemetry: silent });
  const { statusCode } = await connect({ requestContext: CONTEXT, ...event }, functions);
  return { statusCode, opened: opened.map(([, , resumes, token]) => ({ resumes, token })) };
}

const onlyGood = async (token: string) => token === 'good';

for (const [where, event] of [
  ['URL', { queryStringParameters: { access_token: 'good' } }],
  ['header', { headers: { Authorization: 'Bearer good' } }],
  [
    'header rather than the URL',
    { headers: { authorization: 'bearer good' }, queryStringParameters: { access_token: 'bad' } },
  ],
] as const) {
  test(`$connect hands on the token of the ${where}, once it is good`, async () => {
    const opened = [{ resumes: null, token: 'good' }];
    assert.deepEqual(await connecting(event, onlyGood), { statusCode: 200, opened });
    assert.deepEqual(await connecting(event, async () => false), { statusCode: 401, opened: [] });
  });
}

test('$connect without a token leaves it to CONNECT', async () => {
  const opened = [{ resumes: null, token: undefined }];
  for (const event of [
    {},
    { headers: { authorization: 'Basic eDp5' } },
    { queryStringParameters: { access_token: '' } },
  ]) {
    assert.deepEqual(await connecting(event, onlyGood), { statusCode: 200, opened });
  }
});

test('where keys cannot be had, $connect asks to come again', async () => {
  const event = { queryStringParameters: { access_token: 'good' } };
  const down = async () => {
    throw new PortError('unavailable', 'no keys');
  };
  assert.deepEqual(await connecting(event, down), { statusCode: 503, opened: [] });
});

test('who goes on with a connection has shown who it is: the token in its URL may have expired since', async () => {
  const queryStringParameters = { access_token: 'bad', resume: 'token' };
  const opened = [{ resumes: 'token', token: undefined }];
  assert.deepEqual(await connecting({ queryStringParameters }, onlyGood), { statusCode: 200, opened });
});

test('where tokens mean nothing, one changes nothing', async () => {
  const event = { queryStringParameters: { access_token: 'any' } };
  assert.equal((await connecting(event)).statusCode, 200);
});
