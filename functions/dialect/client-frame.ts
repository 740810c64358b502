import { fromBase64, toBase64 } from './base64.js';

/** What the client half says in one text frame: `7:AAEC`, or `7+:AAEC` where frame 8 goes on with the same message. */
export interface ClientFrame {
  /** Of the connection, from 1, rising by one. */
  number: number;
  /** None: a heartbeat. */
  bytes: Uint8Array;
  isPart: boolean;
}

/** API Gateway closes with 1009 where a frame is larger. */
export const FRAME_MAX_CHARACTERS = 32 * 1024;
/** Of one frame: what base64 and 20 characters before it leave room for. */
export const FRAME_MAX_BYTES = ((FRAME_MAX_CHARACTERS - 20) / 4) * 3;

const FRAME = /^([1-9]\d{0,14})(\+?):/;

export function clientFrame({ number, bytes, isPart }: ClientFrame): string {
  return `${number}${isPart ? '+' : ''}:${toBase64(bytes)}`;
}

/** null where the text is not of the dialect. */
export function parseClientFrame(text: string): ClientFrame | null {
  const head = FRAME.exec(text);
  if (head === null) return null;
  const bytes = fromBase64(text.slice(head[0].length));
  return bytes === null ? null : { number: Number(head[1]), bytes, isPart: head[2] === '+' };
}
