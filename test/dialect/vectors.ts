import type { ClientFrame, FrameProblem } from '../../functions/dialect/client-frame.js';
import type { ServerFrame, ServerFrameProblem } from '../../functions/dialect/server-frame.js';

/** Worked bytes of the dialect: both halves are held to them, and docs/PROTOCOL.md shows them. */

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const CONNECT = hex('10 10 00 04 4d 51 54 54 04 02 02 1c 00 04 74 65 73 74');
const CONNACK = hex('20 02 00 00');
const PUBLISH = hex('32 08 00 01 61 00 07 68 65 79');
const PUBACK = hex('40 02 00 07');

export const CLIENT_FRAMES: readonly { text: string; frame: ClientFrame; what: string }[] = [
  {
    text: '1:EBAABE1RVFQEAgIcAAR0ZXN0',
    frame: { number: 1, bytes: CONNECT, isPart: false },
    what: 'CONNECT of MQTT 3.1.1, client identifier `test`',
  },
  {
    text: '2:MggAAWEAB2hleQ==',
    frame: { number: 2, bytes: PUBLISH, isPart: false },
    what: 'PUBLISH, QoS 1, packet identifier 7, `hey` to `a`',
  },
  { text: '3:', frame: { number: 3, bytes: hex(''), isPart: false }, what: 'a heartbeat' },
  {
    text: '4+:MggAAWE=',
    frame: { number: 4, bytes: PUBLISH.slice(0, 5), isPart: true },
    what: 'the first part of that PUBLISH; real parts are longer',
  },
  { text: '5:AAdoZXk=', frame: { number: 5, bytes: PUBLISH.slice(5), isPart: false }, what: 'the rest of it' },
  {
    text: '6@3.12:',
    frame: { number: 6, bytes: hex(''), isPart: false, seen: { epoch: 3, number: 12 } },
    what: 'a heartbeat, the first on a connection that resumes, with 12 frames of the epoch 3',
  },
  {
    text: '7+@3.12:AAEC',
    frame: { number: 7, bytes: hex('00 01 02'), isPart: true, seen: { epoch: 3, number: 12 } },
    what: 'a part, sent once more on a connection that resumes',
  },
];

export const SERVER_FRAMES: readonly { text: string; frame: ServerFrame; what: string }[] = [
  {
    text: '1:IAIAAA==;L0SM9cOFvHcCIhw=.6b1f',
    frame: { type: 'answer', number: 1, bytes: CONNACK, token: 'L0SM9cOFvHcCIhw=.6b1f' },
    what: 'CONNACK, and the token',
  },
  { text: '2:QAIABw==', frame: { type: 'answer', number: 2, bytes: PUBACK }, what: 'PUBACK' },
  { text: '3:', frame: { type: 'answer', number: 3, bytes: hex('') }, what: 'to a heartbeat, or a part' },
  {
    text: '4!:4AGO',
    frame: { type: 'last-answer', number: 4, bytes: hex('e0 01 8e') },
    what: 'DISCONNECT of MQTT 5, 0x8E, and the end',
  },
  { text: '5!:', frame: { type: 'last-answer', number: 5, bytes: hex('') }, what: 'the end, as after a DISCONNECT' },
  {
    text: 'w3.12:MggAAWEAB2hleQ==',
    frame: { type: 'worker', epoch: 3, number: 12, bytes: PUBLISH },
    what: 'a delivery',
  },
  { text: '!unknown', frame: { type: 'refusal', why: 'unknown' }, what: 'there is no such connection' },
  { text: '!unavailable', frame: { type: 'refusal', why: 'unavailable' }, what: 'the same frame again, in a while' },
  { text: '!malformed', frame: { type: 'refusal', why: 'malformed' }, what: 'that was no frame' },
  { text: '!too-large', frame: { type: 'refusal', why: 'too-large' }, what: 'a message is too large' },
  { text: '!resume', frame: { type: 'refusal', why: 'resume' }, what: 'go on with another connection' },
];

export const NO_CLIENT_FRAMES: readonly [text: string, problem: FrameProblem][] = [
  ['', 'head'],
  [':', 'head'],
  ['0:', 'head'],
  ['01:', 'head'],
  ['7', 'head'],
  ['7++:AAEC', 'head'],
  ['-7:', 'head'],
  ['7 :', 'head'],
  [' 7:', 'head'],
  ['7\n:', 'head'],
  ['7@3:', 'head'],
  ['7@3.0:', 'head'],
  ['7@3.1+:AAEC', 'head'],
  ['1234567890123456:', 'head'],
  ['{"message":"x"}', 'head'],
  ['w1.1:AAEC', 'head'],
  ['7:A', 'base64'],
  ['7:AA==A', 'base64'],
  ['7:AB==', 'base64'],
  ['7:AAEC\n', 'base64'],
  ['7:AAEC;x', 'base64'],
  ['7:AA-_', 'base64'],
  ['7+:', 'empty-part'],
  [`7:${'A'.repeat(32 * 1024)}`, 'too-long'],
];

export const NO_SERVER_FRAMES: readonly [text: string, problem: ServerFrameProblem][] = [
  ['', 'head'],
  ['w1:AA==', 'head'],
  ['w1.0:', 'head'],
  ['w01.1:', 'head'],
  ['1+:AAEC', 'head'],
  ['1!!:', 'head'],
  ['{"message": "Internal server error", "connectionId":"L0SM9cOFvHcCIhw=", "requestId":"x"}', 'head'],
  ['1:A', 'base64'],
  ['w1.1:A', 'base64'],
  ['1!:AA==;x', 'base64'],
  ['w1.1:AA==;x', 'base64'],
  ['1:AA==;', 'token'],
  ['1:AA==;a b', 'token'],
  ['1:AA==;a;b', 'token'],
  ['!', 'word'],
  ['!whatever', 'word'],
  ['!unknown ', 'word'],
];
