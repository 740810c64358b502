import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { FRAME_MAX_BYTES, FRAME_MAX_CHARACTERS } from '../../functions/dialect/client-frame.js';
import { CLOSE, TIMING } from '../../functions/dialect/client-state.js';
import { isSpoken, VERSION } from '../../functions/dialect/handshake.js';
import { REFUSALS, type Refusal } from '../../functions/dialect/server-frame.js';
import { EARLY_FRAMES_MAX, KEPT_MAX_BYTES } from '../../functions/dialect/worker-order.js';
import { GATEWAY_LIMITS } from '../../functions/handlers/gateway-limits.js';
import { FRAME_MAX_BYTES as POST_MAX_BYTES, REPEATED_MAX_BYTES } from '../../functions/runtime/gateway-posts.js';
import { play } from './exchange.js';
import { CLIENT_FRAMES, NO_CLIENT_FRAMES, NO_SERVER_FRAMES, SERVER_FRAMES } from './vectors.js';

const PAGE = 'docs/PROTOCOL.md';
const TEXT_MAX_CHARACTERS = 60;

const WORDS: Readonly<Record<Refusal, [why: string, then: string]>> = {
  unknown: ['no row of this socket, a token that is no good, or a counter that is not due', 'ends with 1011'],
  unavailable: [
    'the frame was not dealt with: log or store cannot be reached',
    'sends the frame again after 0.5 s, 1 s, 2 s … as when it resumes; ends with 1006 after 30 s',
  ],
  malformed: ['no frame', 'ends with 1002'],
  'too-large': ['a message above the Maximum Packet Size of this edge; the connection is over', 'ends with 1009'],
  resume: ['this socket will be closed soon', 'resumes once nothing is in flight'],
};

const TIMES: Readonly<Record<keyof typeof TIMING, string>> = {
  answerMs: 'for an answer; the gateway gives a function 29 s',
  openMs: 'for a WebSocket to open',
  heartbeatMs: 'without a frame sent; the gateway closes after 600,000',
  renewMs: 'age at which a socket is replaced; the gateway closes at 7,200,000',
  renewJitterMs: 'drawn, and taken off that',
  resumeMs: 'from a loss, or a frame that was not dealt with, until it is given up',
  retryMs: 'before the second attempt; doubled each time, and drawn between half of that and all',
  orderMs: 'for a worker frame that later ones have overtaken',
  lingerMs: 'a replaced socket is still read',
  flushMs: 'for the answer to what was written before `close`',
};

const CLOSES: Readonly<Record<keyof typeof CLOSE, string>> = {
  normal: 'it closed, or the server has said the last; also what sockets are closed with',
  protocolError: 'one of the two does not speak MQTT, or not the dialect',
  lost: 'the connection is lost and could not be resumed',
  tooLarge: 'a packet is larger than the server takes',
  unknown: 'the server does not know the connection: connect again',
  replaced: 'only to the server: another socket has taken over',
};

const { default: packetMaxBytes } = GATEWAY_LIMITS.gatewayPacketMaxBytes;
const LIMITS: readonly [what: string, value: string, then: string][] = [
  ['characters, from a client', number(FRAME_MAX_CHARACTERS), '1009 by the gateway'],
  ['bytes in it', number(FRAME_MAX_BYTES), 'parts'],
  ['bytes of a packet in parts (`PULSEGATE_GATEWAY_PACKET_MAX_BYTES`)', number(packetMaxBytes), '`!too-large`'],
  ['bytes, from the worker, so that no post has above 32 KB', number(POST_MAX_BYTES), 'more frames'],
  ['frames of the worker ahead of the one that is due', number(EARLY_FRAMES_MAX), 'the client half ends with 1002'],
  ['bytes of the worker that the client half keeps', number(KEPT_MAX_BYTES), 'the client half ends with 1002'],
  ['bytes that the worker keeps to post again', number(REPEATED_MAX_BYTES), 'the connection is closed at the resume'],
];

const PARTS: Readonly<Record<string, string>> = {
  frames: `${frameTable('from a client', CLIENT_FRAMES)}\n\n${frameTable('to a client', SERVER_FRAMES)}`,
  limits: table(['limit', 'is', 'beyond it'], LIMITS),
  words: rows(REFUSALS.map((word) => [`\`!${word}\``, ...WORDS[word]])),
  closes: table(
    ['code', 'why'],
    Object.entries(CLOSE).map(([name, code]) => [`${code}`, CLOSES[name as keyof typeof CLOSE]]),
  ),
  timing: table(
    ['option', 'ms', 'what for'],
    Object.entries(TIMING).map(([name, ms]) => [`\`${name}\``, `${ms}`, TIMES[name as keyof typeof TIMING]]),
  ),
  malformed: `${malformedTable('from a client', NO_CLIENT_FRAMES)}\n\n${malformedTable('to a client', NO_SERVER_FRAMES)}`,
};

test('docs/PROTOCOL.md shows the vectors, limits, words, codes and times of the code', () => {
  const written = readFileSync(PAGE, 'utf8');
  const page = filled(written);
  if (process.env.PULSEGATE_TEST_REWRITE === '1') writeFileSync(PAGE, page);
  else assert.equal(written, page, 'PULSEGATE_TEST_REWRITE=1 writes it');
});

test('the version of docs/PROTOCOL.md is the one that is spoken', () => {
  assert.ok(readFileSync(PAGE, 'utf8').includes(`\`v=${VERSION}\``));
  assert.deepEqual(
    [VERSION, undefined, '', '2', '01'].map((each) => isSpoken(each)),
    [true, true, false, false, false],
  );
});

const exchanges = [...readFileSync(PAGE, 'utf8').matchAll(/\n([^\n]+):\n\n```exchange\n(.*?)\n```/gs)];
for (const [, title, lines] of exchanges) {
  test(`the client half does what docs/PROTOCOL.md shows: ${title}`, () => play((lines as string).split('\n')));
}

test('docs/PROTOCOL.md has exchanges', () => {
  assert.ok(exchanges.length >= 6, `${exchanges.length}`);
});

function filled(page: string): string {
  let result = page;
  for (const [name, text] of Object.entries(PARTS)) {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [from, to] = [result.indexOf(begin), result.indexOf(end)];
    assert.ok(from >= 0 && to > from, `${PAGE} has a place for ${name}`);
    result = `${result.slice(0, from + begin.length)}\n${text}\n${result.slice(to)}`;
  }
  return result;
}

function frameTable(
  title: string,
  vectors: readonly { text: string; what: string; frame: { bytes?: Uint8Array } | object }[],
): string {
  return table(
    [title, 'is', 'bytes'],
    vectors.map(({ text, what, frame }) => {
      const bytes = 'bytes' in frame && frame.bytes ? Buffer.from(frame.bytes).toString('hex') : '';
      return [`\`${text}\``, what, bytes && `\`${bytes}\``];
    }),
  );
}

function malformedTable(title: string, texts: readonly (readonly [text: string, problem: string])[]): string {
  return table(
    [title, 'problem'],
    texts.map(([text, problem]) => [`\`${short(JSON.stringify(text))}\``, problem]),
  );
}

function table(heads: readonly string[], cells: readonly (readonly string[])[]): string {
  return rows([heads, heads.map(() => '---'), ...cells]);
}

function rows(cells: readonly (readonly string[])[]): string {
  return cells.map((row) => `| ${row.join(' | ')} |`.replaceAll('|  |', '| |')).join('\n');
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function short(text: string): string {
  if (text.length <= TEXT_MAX_CHARACTERS) return text;
  return `${text.slice(0, TEXT_MAX_CHARACTERS - 20)}… (${number(text.length)} characters)`;
}
