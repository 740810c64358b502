import { isSpoken, VERSION } from '../dialect/handshake.js';
import { handshakeToken, TOKEN_PARAMETER } from '../ports/handshake-token.js';
import { type GatewayEvent, type GatewayResult, gatewayEvent, headerOf, noEvent, peerOf } from './gateway-event.js';
import type { GatewayFunctions } from './gateway-functions.js';
import { gatewayFunctions } from './gateway-functions.js';

const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];

/** `$connect`: the socket is there once this has answered 200. */
export async function handler(event: unknown): Promise<GatewayResult> {
  return connect(event, gatewayFunctions);
}

/** Never rejects. */
export async function connect(event: unknown, functions: () => Promise<GatewayFunctions>): Promise<GatewayResult> {
  const asked = gatewayEvent(event);
  if (asked === null) return noEvent('ws-connect', functions);
  const offered =
    headerOf(asked, 'sec-websocket-protocol')
      ?.split(',')
      .map((each) => each.trim()) ?? [];
  const chosen = SUBPROTOCOLS.find((each) => offered.includes(each));
  if (offered.length > 0 && chosen === undefined) {
    return { statusCode: 400, body: `a subprotocol is needed: ${SUBPROTOCOLS.join(' or ')}` };
  }
  const query = asked.queryStringParameters ?? {};
  if (!isSpoken(query.v)) return { statusCode: 400, body: `version ${VERSION} is spoken here` };
  try {
    const { frames, authenticator } = await functions();
    const { connectionId } = asked.requestContext;
    // Who goes on with a connection has shown who it is, and the connection says until when.
    const isNew = query.resume === undefined;
    const token = isNew ? handshakeToken(headerOf(asked, 'authorization'), query[TOKEN_PARAMETER]) : undefined;
    if (token !== undefined && (await authenticator.checkToken?.(token)) === false) {
      return { statusCode: 401, body: 'the token is refused' };
    }
    await frames.open(connectionId, peerOf(asked), query.resume ?? null, token);
    return { statusCode: 200, ...(chosen !== undefined && { headers: { 'Sec-WebSocket-Protocol': chosen } }) };
  } catch (error) {
    return unavailable(asked, error, functions);
  }
}

async function unavailable(
  { requestContext: { connectionId } }: GatewayEvent,
  error: unknown,
  functions: () => Promise<GatewayFunctions>,
): Promise<GatewayResult> {
  const telemetry = await functions().then(
    (parts) => parts.telemetry,
    () => null,
  );
  telemetry?.log('error', 'connect-failed', { connection: connectionId, error: String(error) });
  return { statusCode: 503, body: 'try again later' };
}
