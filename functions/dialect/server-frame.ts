import { fromBase64 } from './base64.js';
import { toBase64 } from './server-base64.js';

/**
 * What the client half is told in one text frame:
 *
 * | text | |
 * | --- | --- |
 * | `7:AAEC` | the answer to its frame 7 |
 * | `7:AAEC;token` | the same, with what it may resume by from now on |
 * | `7!:AAEC` | the same, and with these bytes the MQTT connection is over |
 * | `w3.12:AAEC` | frame 12 of the worker's stream of epoch 3 |
 * | `!unknown` | why there is no answer; see `Refusal` |
 *
 * Answers are whole packets. The worker's stream is cut anywhere.
 */
export type ServerFrame =
  | { type: 'answer'; number: number; bytes: Uint8Array; token?: string }
  | { type: 'last-answer'; number: number; bytes: Uint8Array }
  | { type: 'worker'; epoch: number; number: number; bytes: Uint8Array }
  | { type: 'refusal'; why: Refusal };

/**
 * - `unknown`: the server does not know the connection, or its frames are out of step. The client is to connect anew.
 * - `unavailable`: the frame was not dealt with, and is to be sent again in a while, under its number.
 * - `malformed`: the frame is not of the dialect.
 * - `too-large`: a message is larger than the server takes.
 * - `resume`: no answer to anything: the client is to go on with another connection soon, for this one will be closed.
 */
export type Refusal = (typeof REFUSALS)[number];

/**
 * Why a text is no frame:
 * - `head`: none of those above, such as an error message of the gateway's own, which is JSON;
 * - `base64`: its bytes are no base64 in its one form;
 * - `token`: what stands behind the bytes can be no token;
 * - `word`: a refusal that is not known here.
 */
export type ServerFrameProblem = 'head' | 'base64' | 'token' | 'word';

export const REFUSALS = ['unknown', 'unavailable', 'malformed', 'too-large', 'resume'] as const;
const HEAD = /^(?:w([1-9]\d{0,14})\.([1-9]\d{0,14})|([1-9]\d{0,14})(!?)):/;
const TOKEN = /^[\w.=-]+$/;

export function serverFrame(frame: ServerFrame): string {
  switch (frame.type) {
    case 'answer':
      return `${frame.number}:${toBase64(frame.bytes)}${frame.token === undefined ? '' : `;${frame.token}`}`;
    case 'last-answer':
      return `${frame.number}!:${toBase64(frame.bytes)}`;
    case 'worker':
      return `w${frame.epoch}.${frame.number}:${toBase64(frame.bytes)}`;
    case 'refusal':
      return `!${frame.why}`;
  }
}

export function parseServerFrame(text: string): ServerFrame | ServerFrameProblem {
  if (text[0] === '!') {
    const why = REFUSALS.find((refusal) => text.slice(1) === refusal);
    return why === undefined ? 'word' : { type: 'refusal', why };
  }
  const head = HEAD.exec(text);
  if (head === null) return 'head';
  const [start, epoch, workerNumber, number, last] = head;
  const mayHaveToken = number !== undefined && last === '';
  const end = mayHaveToken ? text.indexOf(';') : -1;
  const token = end < 0 ? null : text.slice(end + 1);
  if (token !== null && !TOKEN.test(token)) return 'token';
  const bytes = fromBase64(text.slice(start.length, end < 0 ? text.length : end));
  if (bytes === null) return 'base64';
  if (epoch !== undefined) return { type: 'worker', epoch: Number(epoch), number: Number(workerNumber), bytes };
  if (last === '!') return { type: 'last-answer', number: Number(number), bytes };
  return { type: 'answer', number: Number(number), bytes, ...(token !== null && { token }) };
}
