import { type GatewayResult, gatewayEvent, noEvent } from './gateway-event.js';
import { type GatewayFunctions, gatewayFunctions } from './gateway-functions.js';

/** `$disconnect`: the connection is over. API Gateway tells it at best; the worker finds the others by their silence. */
export async function handler(event: unknown): Promise<GatewayResult> {
  return disconnect(event, gatewayFunctions);
}

/** Never rejects. */
export async function disconnect(event: unknown, functions: () => Promise<GatewayFunctions>): Promise<GatewayResult> {
  const told = gatewayEvent(event);
  if (told === null) return noEvent('ws-disconnect', functions);
  const { connectionId } = told.requestContext;
  let parts: GatewayFunctions | undefined;
  try {
    parts = await functions();
    await parts.frames.close(connectionId);
    return { statusCode: 200 };
  } catch (error) {
    parts?.telemetry.log('error', 'disconnect-failed', { connection: connectionId, error: String(error) });
    return { statusCode: 503 };
  }
}
