/**
 * Of what this build speaks. A change that an older half would take for something else raises it; the server half then keeps
 * the version before as well, and a client half that is refused with its own asks for that.
 */
export const VERSION = '1';

/** For the URL of a connection: `v=1`, or `v=1&resume=<token>` where it goes on with another. */
export function handshakeQuery(resumes: string | null): string {
  return `v=${VERSION}${resumes === null ? '' : `&resume=${encodeURIComponent(resumes)}`}`;
}

/** Whether the `v` of a query is spoken here. Who does not say one has no client half, and learns that with its first frame. */
export function isSpoken(version: string | undefined): boolean {
  return version === undefined || version === VERSION;
}
