import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutboundRow, OutboundStore } from '../../functions/ports/store.js';
import { storedShares } from '../../functions/runtime/stored-shares.js';
import { IN_FLIGHT } from '../../functions/session/places.js';

const SHARE = '$share/g/a';

function row(number: number, qos: 1 | 2, state: OutboundRow['state']): OutboundRow {
  const origin = { source: 'log', position: `${number}~1.0` };
  const key = state === 'queued' ? origin : { source: IN_FLIGHT, position: String(number) };
  const publication = { topic: 'a', payload: new Uint8Array(), qos, retain: false, publisher: 'p', publishedAtMs: 0 };
  return { ...key, origin, state, packetId: 0, qos, retain: false, share: SHARE, publication };
}

async function handedBack(rows: readonly OutboundRow[]): Promise<string[]> {
  const outbound = { read: async (_: string, __: number, after: unknown) => (after === null ? rows : []) };
  const places: string[] = [];
  for await (const { publications } of storedShares(outbound as unknown as OutboundStore, 'member', 1)) {
    places.push(...publications.map(({ place }) => place.position));
  }
  return places;
}

test('what was sent with QoS 2 is handed to nobody, even where a crash left it in the queue, too [MQTT-4.8.2-6]', async () => {
  const rows = [
    row(1, 2, 'sent'),
    row(2, 2, 'released'),
    row(1, 2, 'queued'),
    row(2, 2, 'queued'),
    row(3, 2, 'queued'),
  ];
  assert.deepEqual(await handedBack(rows), ['3~1.0']);
});

test('what was sent with QoS 1 and is in the queue, too, is handed back once', async () => {
  assert.deepEqual(await handedBack([row(1, 1, 'sent'), row(1, 1, 'queued')]), ['1~1.0']);
});
