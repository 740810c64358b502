/** Of the URL of a WebSocket handshake, after RFC 6750 section 2.3: browsers can set no header there. */
export const TOKEN_PARAMETER = 'access_token';

const BEARER = /^Bearer +([\w.~+/=-]+) *$/i;

/** What a handshake brings for the authenticator; the header wins, as it is in no log of URLs. undefined: nothing. */
export function handshakeToken(
  authorization: string | undefined,
  parameter: string | null | undefined,
): string | undefined {
  return BEARER.exec(authorization ?? '')?.[1] ?? (parameter || undefined);
}
