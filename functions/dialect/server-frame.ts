import { fromBase64, toBase64 } from './base64.js';

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
 */
export type Refusal = (typeof REFUSALS)[number];

const REFUSALS = ['unknown', 'unavailable', 'malformed', 'too-large'] as const;
const NUMBER = '([1-9]\\d{0,14})';
const ANSWER = new RegExp(`^${NUMBER}(!?):([^;]*)(?:;([\\w.=-]+))?$`);
const WORKER = new RegExp(`^w${NUMBER}\\.${NUMBER}:(.*)$`);

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

/** null where the text is not of the dialect: an error message of the gateway's own, such as JSON. */
export function parseServerFrame(text: string): ServerFrame | null {
  const why = REFUSALS.find((refusal) => text === `!${refusal}`);
  if (why !== undefined) return { type: 'refusal', why };
  const worker = WORKER.exec(text);
  if (worker !== null) {
    const bytes = fromBase64(worker[3] as string);
    return bytes && { type: 'worker', epoch: Number(worker[1]), number: Number(worker[2]), bytes };
  }
  const answer = ANSWER.exec(text);
  const bytes = answer && fromBase64(answer[3] as string);
  if (!answer || bytes === null) return null;
  const number = Number(answer[1]);
  const token = answer[4];
  if (answer[2] === '!') return token === undefined ? { type: 'last-answer', number, bytes } : null;
  return { type: 'answer', number, bytes, ...(token !== undefined && { token }) };
}
