import { toBase64 } from './base64.js';
import { fromBase64 } from './server-base64.js';

/**
 * What the client half says in one text frame:
 *
 * | text | |
 * | --- | --- |
 * | `7:AAEC` | its frame 7 |
 * | `7:` | the same without bytes: a heartbeat |
 * | `7+:AAEC` | where frame 8 goes on with the same message |
 * | `7@3.12:AAEC` | as the first on a connection that goes on with another, having frame 12 of the worker's epoch 3 |
 */
export interface ClientFrame {
  /** Of the connection, from 1, rising by one. */
  number: number;
  /** None: a heartbeat. */
  bytes: Uint8Array;
  isPart: boolean;
  /** On a connection that resumes, until it is answered there: what need not be posted again. */
  seen?: Seen;
}

/** The newest frame of the worker that the client half has, all those of its epoch before it included. */
export interface Seen {
  epoch: number;
  number: number;
}

/**
 * Why a text is no frame:
 * - `head`: what is before the colon is none of those above;
 * - `base64`: what is after it is no base64 in its one form;
 * - `too-long`: API Gateway would not have let it through;
 * - `empty-part`: a message that goes on has bytes.
 */
export type FrameProblem = 'head' | 'base64' | 'too-long' | 'empty-part';

/** API Gateway closes with 1009 where a frame is larger. */
export const FRAME_MAX_CHARACTERS = 32 * 1024;
/** Of one frame: what base64 and the longest head, of 52 characters, leave room for. */
export const FRAME_MAX_BYTES = ((FRAME_MAX_CHARACTERS - 52) / 4) * 3;

// A literal, which a bundle that only writes frames leaves out.
const HEAD = /^([1-9]\d{0,14})(\+?)(?:@([1-9]\d{0,14})\.([1-9]\d{0,14}))?:/;

export function clientFrame({ number, bytes, isPart, seen }: ClientFrame): string {
  return `${number}${isPart ? '+' : ''}${seen ? `@${seen.epoch}.${seen.number}` : ''}:${toBase64(bytes)}`;
}

export function parseClientFrame(text: string): ClientFrame | FrameProblem {
  if (text.length > FRAME_MAX_CHARACTERS) return 'too-long';
  const head = HEAD.exec(text);
  if (head === null) return 'head';
  const bytes = fromBase64(text.slice(head[0].length));
  if (bytes === null) return 'base64';
  const isPart = head[2] === '+';
  if (isPart && bytes.length === 0) return 'empty-part';
  const seen = head[3] && { seen: { epoch: Number(head[3]), number: Number(head[4]) } };
  return { number: Number(head[1]), bytes, isPart, ...(seen || {}) };
}
