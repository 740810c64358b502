import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../functions/mqtt/decode.js';
import { MALFORMED } from './malformed.js';
import { byte, hexOf, join, lengthed, uint16, wire } from './malformed-bytes.js';
import { type Case, whenConnected } from './malformed-case.js';
import { verdictsOnFlags } from './malformed-connect.js';
import {
  connect,
  type Draft,
  draftBytes,
  draftsOf,
  LEVELS,
  type Level,
  plainConnect,
  replaced,
} from './malformed-drafts.js';
import { octets, verdictOnCut } from './malformed-fields.js';
import { assertRefused, kinds, letIn, machineFor } from './malformed-machine.js';
import { block } from './malformed-properties.js';
import { CLIENT_REASONS, RULES } from './malformed-standard.js';

/** Sent behind a malformed packet: a publication, which would be appended, and a PINGREQ, which would be answered. */
const behind = (level: Level): Buffer =>
  Buffer.concat([wire(0x30, Buffer.concat([lengthed('a'), ...(level === 5 ? [block()] : [])])), Buffer.of(0xc0, 0)]);

for (const [what, cases] of Object.entries(MALFORMED)) {
  test(`what is wrong with ${what} is refused as the standard has it: whole`, () => {
    eachOf(cases, (one, about) => {
      const machine = machineFor(one);
      machine.receive(one.bytes);
      assertRefused(one, machine, about);
    });
  });

  test(`what is wrong with ${what} is refused as the standard has it: byte by byte`, () => {
    eachOf(cases, (one, about) => {
      const machine = machineFor(one);
      for (const octet of one.bytes) machine.receive(byte(octet));
      assertRefused(one, machine, about);
    });
  });

  test(`what comes behind what is wrong with ${what} is not acted on`, () => {
    eachOf(cases, (one, about) => {
      const machine = machineFor(one);
      machine.receive(Buffer.concat([one.bytes, behind(one.level)]), behind(one.level), plainConnect(one.level, 'c'));
      assertRefused(one, machine, about);
    });
  });
}

test('what comes in one piece with the CONNECT is refused in its CONNACK or after it, and no other way', () => {
  const cases = Object.values(MALFORMED)
    .flat()
    .filter(({ when }) => when === 'connected');
  eachOf(cases, (one, about) => {
    const machine = machineFor({ ...one, when: 'first' });
    machine.receive(Buffer.concat([plainConnect(one.level, 'c'), one.bytes, behind(one.level)]));
    // A bad fixed header is seen while the CONNECT is being decided; what is inside, when its turn comes.
    if (machine.state.phase === 'closed') {
      const begun = machine.effects.splice(0, 2);
      assert.equal(kinds(begun), 'pause-reading authenticate', about);
      return assertRefused({ ...one, when: 'first' }, machine, about);
    }
    letIn(machine);
    const begun = machine.effects.splice(
      0,
      machine.effects.findIndex(({ type }) => type === 'count'),
    );
    assert.equal(kinds(begun), 'pause-reading authenticate claim send tell-session resume-reading', about);
    machine.said.shift();
    assertRefused(one, machine, about);
  });
});

test('there are thousands of cases, and each has a name of its own', (context) => {
  const cases = Object.values(MALFORMED).flat();
  const names = new Set(cases.map(({ name, level, when }) => `${name} ${level} ${when}`));
  const twice = cases.map(({ name, level, when }) => `${name} ${level} ${when}`).filter((name) => !names.delete(name));
  assert.deepEqual(twice, []);
  assert.ok(cases.length > 3_000);
  context.diagnostic(
    Object.entries(MALFORMED)
      .map(([what, { length }]) => `${what}: ${length}`)
      .join(', '),
  );
});

test('every rule in the table is broken by some case', () => {
  const broken = new Set(
    Object.values(MALFORMED)
      .flat()
      .flatMap(({ verdicts }) => verdicts),
  );
  const unbroken = Object.entries(RULES).flatMap(([name, verdict]) => (broken.has(verdict) ? [] : [name]));
  assert.deepEqual(unbroken, []);
});

// What is not spoiled is accepted: else the cases above would prove nothing.

test('a packet with everything in it is accepted, but not before its last byte', () => {
  for (const draft of LEVELS.flatMap(draftsOf)) {
    const bytes = draftBytes(draft);
    assertAccepted(draft, bytes, `${draft.type} at level ${draft.level}`);
    const machine = machineFor({ when: draft.type === 'connect' ? 'first' : 'connected', level: draft.level });
    for (const octet of bytes.subarray(0, -1)) machine.receive(byte(octet));
    assert.equal(kinds(machine.effects), '', `${draft.type} at level ${draft.level}`);
  }
});

test('a packet that is broken off by the close is nothing, and leaves the will', () => {
  for (const draft of LEVELS.flatMap(draftsOf)) {
    const bytes = draftBytes(draft);
    for (let end = 0; end < bytes.length; end += 1) {
      const machine = machineFor({ when: draft.type === 'connect' ? 'first' : 'connected', level: draft.level });
      machine.receive(bytes.subarray(0, end));
      machine.feed({ type: 'peer-closed' });
      const about = `${draft.type} at level ${draft.level}, ${end} bytes`;
      assert.equal(kinds(machine.effects), draft.type === 'connect' ? '' : 'leave', about);
      for (const effect of machine.effects) assert.ok(effect.type === 'leave' && effect.will === 'publish', about);
    }
  }
});

test('a packet cut where what follows may be left out is accepted', () => {
  let count = 0;
  for (const draft of LEVELS.flatMap(draftsOf)) {
    let start = 0;
    for (const [at, { bytes }] of draft.parts.entries()) {
      for (let left = 0; left < bytes.length; left += 1) {
        if (verdictOnCut(draft, at, left) !== null) continue;
        count += 1;
        const cut = wire(draft.first, join(draft.parts).subarray(0, start + left));
        assertAccepted(draft, cut, `${draft.type} at level ${draft.level}, ${start + left} bytes`);
      }
      start += bytes.length;
    }
  }
  assert.ok(count > 20);
});

test('the connect flags, subscription options and reason codes that remain are accepted', () => {
  for (const level of LEVELS) {
    for (const flags of octets((value) => verdictsOnFlags(value, level).length === 0)) {
      const draft = connect(level, flags);
      assertAccepted(draft, draftBytes(draft), `connect flags ${flags} at level ${level}`);
    }
    const subscribe = draftsOf(level).find(({ type }) => type === 'subscribe')!;
    const options = octets((value) => (level === 5 ? value < 0x40 && (value & 3) < 3 && value < 0x30 : value < 3));
    for (const value of options) {
      const bytes = replaced(subscribe, subscribe.parts.length - 1, byte(value));
      assertAccepted(subscribe, bytes, `subscription options ${value} at level ${level}`);
    }
  }
  for (const draft of draftsOf(5)) {
    const at = draft.parts.findIndex(({ kind }) => kind === 'reason');
    if (at < 0) continue;
    for (const reason of CLIENT_REASONS[draft.type as keyof typeof CLIENT_REASONS]) {
      assertAccepted(draft, replaced(draft, at, byte(reason)), `${draft.type} with reason code ${reason}`);
    }
  }
});

test('MQTT 3.1 may mark a repeated request, and the other levels may not', () => {
  for (const draft of draftsOf(3).filter(({ first }) => [0x62, 0x82, 0xa2].includes(first))) {
    assertAccepted(draft, draftBytes({ ...draft, first: draft.first | 8 }), draft.type);
  }
});

test('10,000 filters in a packet are accepted, and one more is over the quota', () => {
  for (const level of LEVELS) {
    for (const [first, item] of [
      [0x82, '0001 61 00'],
      [0xa2, '0001 61'],
    ] as const) {
      const head = Buffer.concat([uint16(1), ...(level === 5 ? [block()] : [])]);
      const one = Buffer.from(item.replaceAll(' ', ''), 'hex');
      const full = Buffer.concat([head, ...Array<Buffer>(10_000).fill(one)]);
      assert.ok(decode(wire(first, full), level).ok);
      const decoded = decode(wire(first, Buffer.concat([full, one])), level);
      assert.equal(!decoded.ok && decoded.refusal.reasonCode, 0x97);
    }
  }
});

test('any text that is UTF-8 without U+0000 is accepted, also what the standard advises against', () => {
  const texts = [
    '\ufeffa',
    '\u0001',
    '\u007f\u009f',
    '\uffff\ufdd0',
    '\u{10ffff}',
    '\u{1f600}',
    'ä/€',
    '$SYS',
    'a//b/',
  ];
  for (const text of texts) {
    const bytes = wire(0x82, Buffer.concat([uint16(1), block(), lengthed(text), byte(0)]));
    const decoded = decode(bytes, 5);
    assert.ok(decoded.ok && decoded.packet.type === 'subscribe', text);
    assert.equal(decoded.packet.subscriptions[0]?.filter, text);
  }
});

test('a judge that takes everything, or another clause, would be found out', () => {
  const pingreq = whenConnected('PINGREQ', 5, Buffer.of(0xc0, 0), { reason: 0x82, clause: 'MQTT-1.5.5-1' });
  const machine = machineFor(pingreq);
  machine.receive(pingreq.bytes);
  assert.throws(() => assertRefused(pingreq, machine, ''));
  machine.receive(Buffer.of(0xc0, 0x80, 0));
  assert.throws(() => assertRefused(pingreq, machine, ''));
});

function assertAccepted(draft: Draft, bytes: Buffer, about: string): void {
  const decoded = decode(bytes, draft.type === 'connect' ? null : draft.level);
  assert.ok(decoded.ok, `${about}: ${decoded.ok || decoded.refusal.text}`);
  assert.equal(decoded.packet.type, draft.type, about);
}

const SHOWN = 30;

/** Judges all, then says which failed. */
function eachOf(cases: readonly Case[], judge: (one: Case, about: string) => void): void {
  const failures: string[] = [];
  for (const one of cases) {
    try {
      judge(one, `${one.name} (level ${one.level}, ${one.when}: ${hexOf(one.bytes.subarray(0, 40))})`);
    } catch (failure) {
      failures.push(String((failure as Error).message).split('\n')[0]!);
    }
  }
  assert.equal(failures.length, 0, `${failures.length} of ${cases.length}:\n${failures.slice(0, SHOWN).join('\n')}`);
}
