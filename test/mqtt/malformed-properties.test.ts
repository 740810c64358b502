import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAYOUTS } from '../../functions/mqtt/layouts.js';
import { type Carrier, PROPERTIES, PROPERTY_BY_ID } from '../../functions/mqtt/properties.js';
import { CLIENT_CARRIERS, SERVER_CARRIERS, STANDARD_PROPERTIES, sectionIn } from './malformed-properties.js';
import { CLIENT_REASONS } from './malformed-standard.js';

const CARRIERS: readonly Carrier[] = [...new Set<Carrier>([...CLIENT_CARRIERS, ...SERVER_CARRIERS])];

test('the table of properties is that of MQTT 5.0 section 2.2.2.2, cell by cell', () => {
  let cells = 0;
  for (let id = 0; id < 256; id += 1) {
    const standard = STANDARD_PROPERTIES.find((one) => one.id === id);
    const ours = PROPERTY_BY_ID[id];
    assert.equal(ours?.name, standard?.name, `property ${id}`);
    if (standard === undefined || ours === undefined) continue;
    for (const carrier of CARRIERS) {
      const expected: object = {
        fromClient: sectionIn(standard.fromClient, carrier),
        fromServer: sectionIn(standard.fromServer, carrier),
      };
      const found: object = { fromClient: ours.fromClient[carrier], fromServer: ours.fromServer[carrier] };
      assert.deepEqual(found, expected, `${standard.name} in ${carrier}`);
      cells += 2;
    }
    const type = ours.type === 'topicName' ? 'string' : ours.type;
    const many = { always: 'both', 'from server': 'server', never: undefined }[ours.repeats];
    assert.deepEqual({ type, many }, { type: standard.type, many: standard.many }, standard.name);
  }
  assert.equal(PROPERTIES.length, 27);
  assert.equal(cells, 27 * 14 * 2);
});

test('every property stands in some packet, and only User Property in all', () => {
  for (const { name, fromClient, fromServer } of STANDARD_PROPERTIES) {
    assert.notEqual(`${fromClient}${fromServer}`, '', name);
    const isInAll = CLIENT_CARRIERS.every((carrier) => sectionIn(fromClient, carrier) !== undefined);
    assert.equal(isInAll, name === 'userProperties', name);
  }
});

test('the reason codes of a client are those of the standard', () => {
  for (const { name, clientReasons } of LAYOUTS) {
    const standard: readonly number[] | undefined = CLIENT_REASONS[name as keyof typeof CLIENT_REASONS];
    assert.deepEqual(clientReasons?.codes, standard, name);
  }
});
