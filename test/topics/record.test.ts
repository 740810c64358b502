import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogRecord } from '../../functions/ports/log.js';
import type { Publication } from '../../functions/topics/publication.js';
import { fromRecord, toRecord } from '../../functions/topics/record.js';

const AT_MS = 1_700_000_000_000;
const payload = Uint8Array.of(0, 1, 0xff);

const plain: Publication = { topic: 'a/b', payload, qos: 1, retain: false, publisher: '', publishedAtMs: AT_MS };

const full: Publication = {
  ...plain,
  qos: 2,
  retain: true,
  publisher: 'ü client',
  token: 't:1',
  properties: {
    payloadFormatIndicator: 1,
    messageExpiryInterval: 0xffff_ffff,
    contentType: '',
    responseTopic: 'answers/1',
    correlationData: Uint8Array.of(0, 0xfe, 0x80, 0x0a),
    userProperties: [
      ['b', '1'],
      ['a', '2'],
      ['b', '1'],
      ['', '"\u2028'],
    ],
  },
};

function back(publication: Publication, appendedAtMs = AT_MS) {
  return fromRecord(toRecord(publication, 'key'), publication.topic, appendedAtMs);
}

function native(properties: Record<string, string>) {
  return fromRecord({ key: 'a/b', payload, properties }, 'a/b', AT_MS);
}

test('the payload is handed on as it is, both ways', () => {
  const record = toRecord(full, 'key');
  assert.equal(record.payload, payload);
  assert.equal((fromRecord(record, 'a/b', AT_MS) as Publication).payload, payload);
});

test('a QoS 1 publication of nobody has no properties', () => {
  assert.deepEqual(toRecord(plain, 'k'), { key: 'k', payload, properties: {} });
});

test('the usual publication has its publisher, and its QoS where that is not 1', () => {
  assert.deepEqual(toRecord({ ...plain, publisher: 'c' }, 'k').properties, { 'mqtt-publisher': 'c' });
  assert.deepEqual(toRecord({ ...plain, publisher: 'c', qos: 0 }, 'k').properties, {
    'mqtt-qos': '0',
    'mqtt-publisher': 'c',
  });
});

test('every property stands under its documented name', () => {
  assert.deepEqual(toRecord(full, 'k').properties, {
    'mqtt-qos': '2',
    'mqtt-retain': 'true',
    'mqtt-publisher': 'ü client',
    'mqtt-token': 't:1',
    'mqtt-payload-format': '1',
    'mqtt-content-type': '',
    'mqtt-response-topic': 'answers/1',
    'mqtt-correlation-data': 'AP6ACg==',
    'mqtt-user-properties': '[["b","1"],["a","2"],["b","1"],["","\\"\u2028"]]',
    'mqtt-expiry': '4294967295',
    'mqtt-published-at': String(AT_MS),
  });
});

test('a record fits the log', () => {
  const record: LogRecord = toRecord(full, 'k');
  assert.equal(record.key, 'k');
});

test('a publication comes back as it went in', () => {
  const read = back(full) as Publication;
  assert.deepEqual(new Uint8Array(read.properties!.correlationData!), full.properties!.correlationData);
  read.properties!.correlationData = full.properties!.correlationData!;
  assert.deepEqual(read, full);
  assert.deepEqual(back(plain), plain);
  for (const qos of [0, 1, 2] as const) assert.equal((back({ ...plain, qos }) as Publication).qos, qos);
});

test('properties of value 0 and of no length come back', () => {
  const properties = { payloadFormatIndicator: 0, messageExpiryInterval: 0, contentType: '' };
  assert.deepEqual((back({ ...plain, properties }) as Publication).properties, properties);
  const empty = back({ ...plain, properties: { correlationData: new Uint8Array(0) } }) as Publication;
  assert.equal(empty.properties!.correlationData!.length, 0);
});

test('correlation data is that part of a larger buffer that it is', () => {
  const part = Uint8Array.of(1, 2, 3, 4).subarray(1, 3);
  assert.equal(
    toRecord({ ...plain, properties: { correlationData: part } }, 'k').properties['mqtt-correlation-data'],
    'AgM=',
  );
});

test('properties that concern one connection do not travel', () => {
  const properties = { topicAlias: 3, subscriptionIdentifiers: [7] };
  assert.deepEqual(toRecord({ ...plain, properties }, 'k').properties, {});
});

test('expiry counts from publication, however late the log took it', () => {
  const read = back({ ...plain, properties: { messageExpiryInterval: 10 } }, AT_MS + 5_000) as Publication;
  assert.equal(read.publishedAtMs, AT_MS);
});

test('a native message without properties is QoS 1, not retained, of nobody, and as old as in the log', () => {
  assert.deepEqual(native({ other: 'x' }), plain);
});

test('a native message’s expiry counts from its append', () => {
  assert.deepEqual(native({ 'mqtt-expiry': '60' }), { ...plain, properties: { messageExpiryInterval: 60 } });
});

test('mqtt-retain may be false', () => assert.deepEqual(native({ 'mqtt-retain': 'false' }), plain));

const MALFORMED: readonly (readonly [name: string, value: string])[] = [
  ['mqtt-qos', ''],
  ['mqtt-qos', '3'],
  ['mqtt-qos', '01'],
  ['mqtt-qos', 'constructor'],
  ['mqtt-retain', ''],
  ['mqtt-retain', 'TRUE'],
  ['mqtt-published-at', ''],
  ['mqtt-published-at', '-1'],
  ['mqtt-published-at', '1e3'],
  ['mqtt-published-at', '2026-11-23'],
  ['mqtt-published-at', '9'.repeat(16)],
  ['mqtt-payload-format', '2'],
  ['mqtt-payload-format', ''],
  ['mqtt-content-type', 'a\u0000'],
  ['mqtt-content-type', 'ü'.repeat(32_768)],
  ['mqtt-response-topic', ''],
  ['mqtt-response-topic', 'a/+'],
  ['mqtt-response-topic', 'a\u0000'],
  ['mqtt-correlation-data', 'AP6ACg'],
  ['mqtt-correlation-data', 'A'],
  ['mqtt-correlation-data', 'not base64!'],
  ['mqtt-correlation-data', Buffer.alloc(65_536).toString('base64')],
  ['mqtt-user-properties', ''],
  ['mqtt-user-properties', '{"a":"b"}'],
  ['mqtt-user-properties', 'null'],
  ['mqtt-user-properties', '["ab"]'],
  ['mqtt-user-properties', '[["a"]]'],
  ['mqtt-user-properties', '[["a","b","c"]]'],
  ['mqtt-user-properties', '[["a",1]]'],
  ['mqtt-user-properties', '[["a","\\u0000"]]'],
  ['mqtt-user-properties', '[["a","b"],null]'],
  ['mqtt-user-properties', '['.repeat(1_000_000)],
  ['mqtt-expiry', '-1'],
  ['mqtt-expiry', '1.5'],
  ['mqtt-expiry', '4294967296'],
  ['mqtt-expiry', ''],
];
for (const [name, value] of MALFORMED) {
  test(`${name} ${JSON.stringify(value).slice(0, 30)} is a problem that names it`, () => {
    const read = native({ [name]: value });
    assert.ok('problem' in read);
    assert.ok(read.problem.startsWith(`${name} is `));
  });
}

test('the longest correlation data passes', () => {
  const read = native({ 'mqtt-correlation-data': Buffer.alloc(65_535).toString('base64') }) as Publication;
  assert.equal(read.properties!.correlationData!.length, 65_535);
});
