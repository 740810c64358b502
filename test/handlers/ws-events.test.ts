import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GatewayFunctions } from '../../functions/handlers/gateway-functions.js';
import { connect } from '../../functions/handlers/ws-connect.js';
import { disconnect } from '../../functions/handlers/ws-disconnect.js';
import { message } from '../../functions/handlers/ws-message.js';
import type { Reply } from '../../functions/runtime/gateway-frames.js';

const HANDLERS = { connect, message, disconnect };
const CONTEXT = { connectionId: 'id', domainName: 'host', stage: 'stage' };

/** The parts that handlers share; `receive` is what becomes of a frame. */
function parts(receive: () => Promise<Reply> = async () => assert.fail('nothing is to be received')) {
  const logged: unknown[][] = [];
  const telemetry = { log: (...fields: unknown[]) => void logged.push(fields), count() {} };
  const frames = { receive, open: async () => assert.fail(), close: async () => assert.fail() };
  return { logged, functions: async () => ({ frames, telemetry }) as unknown as GatewayFunctions };
}

for (const [name, handle] of Object.entries(HANDLERS)) {
  test(`ws-${name}: what is no event of a WebSocket connection is answered with 400, and logged`, async () => {
    for (const event of [null, undefined, 'text', {}, { requestContext: { ...CONTEXT, connectionId: 7 } }]) {
      const { functions, logged } = parts();
      assert.equal((await handle(event, functions)).statusCode, 400);
      assert.deepEqual(logged, [['warn', 'no-gateway-event', { function: `ws-${name}` }]]);
    }
    const broken = async () => Promise.reject(new Error('no settings'));
    assert.equal((await handle(null, broken)).statusCode, 400);
  });
}

test('what is no text frame of the dialect changes nothing, and its client half is told so', async () => {
  for (const event of [{}, { body: null }, { body: '' }, { body: 'hello' }, { body: 'MTo=', isBase64Encoded: true }]) {
    const { functions } = parts();
    const answer = await message({ requestContext: CONTEXT, ...event }, functions);
    assert.deepEqual(answer, { statusCode: 200, body: '!malformed' });
  }
});

test('each reply is the text that the client half knows', async () => {
  const bytes = Uint8Array.of(0x40, 2, 0, 7);
  for (const [reply, body] of [
    [{ type: 'answer', number: 2, bytes }, '2:QAIABw=='],
    [{ type: 'answer', number: 2, bytes, token: 'a.b' }, '2:QAIABw==;a.b'],
    [{ type: 'closed', number: 2, bytes }, '2!:QAIABw=='],
    [{ type: 'unknown' }, '!unknown'],
    [{ type: 'too-large' }, '!too-large'],
  ] as const) {
    const { functions } = parts(async () => reply);
    assert.deepEqual(await message({ requestContext: CONTEXT, body: '2:' }, functions), { statusCode: 200, body });
  }
  const { functions, logged } = parts(async () => Promise.reject(new Error('no store')));
  const answer = await message({ requestContext: CONTEXT, body: '2:' }, functions);
  assert.deepEqual([answer.body, logged[0]?.[1]], ['!unavailable', 'frame-failed']);
});
