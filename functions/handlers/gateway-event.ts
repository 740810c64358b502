import type { Telemetry } from '../ports/telemetry.js';

/** What API Gateway tells a function of a WebSocket connection; of its many fields, those that are used. */
export interface GatewayEvent {
  requestContext: { connectionId: string; domainName: string; stage: string; identity?: { sourceIp?: string } };
  headers?: Record<string, string | undefined> | null;
  queryStringParameters?: Record<string, string | undefined> | null;
  body?: string | null;
  isBase64Encoded?: boolean;
}

export interface GatewayResult {
  statusCode: number;
  headers?: Record<string, string>;
  /** With a route response, what the client gets as one text frame. */
  body?: string;
}

/** null where the event is not one of a WebSocket connection. */
export function gatewayEvent(event: unknown): GatewayEvent | null {
  const context = (event as Partial<GatewayEvent> | null)?.requestContext;
  const isOne = [context?.connectionId, context?.domainName, context?.stage].every((each) => typeof each === 'string');
  return isOne ? (event as GatewayEvent) : null;
}

/** The answer to what is none: nobody but a mistaken deployment sends it, who is to find it in the log. */
export async function noEvent(
  name: string,
  functions: () => Promise<{ telemetry: Telemetry }>,
): Promise<GatewayResult> {
  const parts = await functions().catch(() => null);
  parts?.telemetry.log('warn', 'no-gateway-event', { function: name });
  return { statusCode: 400, body: 'no event of a WebSocket connection' };
}

/** Header names have no case, and API Gateway passes on what the client wrote. */
export function headerOf({ headers }: GatewayEvent, name: string): string | undefined {
  return Object.entries(headers ?? {}).find(([key]) => key.toLowerCase() === name)?.[1];
}

export function peerOf({ requestContext: { identity, connectionId } }: GatewayEvent): string {
  return `${identity?.sourceIp ?? 'unknown'} ${connectionId}`;
}
