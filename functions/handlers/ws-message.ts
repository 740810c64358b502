import { parseClientFrame } from '../dialect/client-frame.js';
import { type Refusal, serverFrame } from '../dialect/server-frame.js';
import type { Reply } from '../runtime/gateway-frames.js';
import { type GatewayResult, gatewayEvent, noEvent } from './gateway-event.js';
import { type GatewayFunctions, gatewayFunctions } from './gateway-functions.js';

/** `$default`: one text frame of a client, answered by the route response. */
export async function handler(event: unknown): Promise<GatewayResult> {
  return message(event, gatewayFunctions);
}

/** Never rejects: a function that throws makes API Gateway send JSON of its own to the client. */
export async function message(event: unknown, functions: () => Promise<GatewayFunctions>): Promise<GatewayResult> {
  const told = gatewayEvent(event);
  if (told === null) return noEvent('ws-message', functions);
  const { connectionId } = told.requestContext;
  const frame = typeof told.body === 'string' && !told.isBase64Encoded ? parseClientFrame(told.body) : 'binary';
  if (typeof frame === 'string') return refusal('malformed');
  let parts: GatewayFunctions | undefined;
  try {
    parts = await functions();
    return answerTo(await parts.frames.receive(connectionId, frame));
  } catch (error) {
    parts?.telemetry.log('error', 'frame-failed', { connection: connectionId, error: String(error) });
    return refusal('unavailable');
  }
}

function answerTo(reply: Reply): GatewayResult {
  switch (reply.type) {
    case 'answer':
      return { statusCode: 200, body: serverFrame(reply) };
    case 'closed':
      return { statusCode: 200, body: serverFrame({ ...reply, type: 'last-answer' }) };
    case 'unknown':
    case 'too-large':
      return refusal(reply.type);
  }
}

function refusal(why: Refusal): GatewayResult {
  return { statusCode: 200, body: serverFrame({ type: 'refusal', why }) };
}
