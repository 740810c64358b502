import assert from 'node:assert/strict';
import { test } from 'node:test';
import { httpProblem } from '../../../functions/adapters/pulsar/http-problem.js';

/** As Pulsar 4.0.8 answers; whether trying again may help decides what a client is told. */
const ANSWERS: readonly [number, string, string][] = [
  [401, '<title>Error 401 Authentication required</title>', 'refused'],
  [403, '{"reason":"Unauthorized to validateTopicOperation for operation [PRODUCE] on topic [t]"}', 'refused'],
  [404, '{"reason":"Namespace not found"}', 'refused'],
  [409, '{"reason":"Topic is already fenced"}', 'conflict'],
  [412, '{"reason":"Topic name is not valid"}', 'refused'],
  [412, '{"reason":"Can\'t find owner for topic persistent://public/default/t"}', 'unavailable'],
  [412, '{"reason":"Failed to find ownership for topic:persistent://public/default/t"}', 'unavailable'],
  [500, '{"reason":"org.apache.pulsar.metadata.api.MetadataStoreException"}', 'unavailable'],
  [503, '{"errorMsg":"Cannot create producer on topic with backlog quota exceeded"}', 'full'],
  [503, '{"reason":"TopicTerminatedException"}', 'refused'],
];

for (const [status, body, code] of ANSWERS) {
  test(`${status} ${body} is ${code}`, () => {
    const problem = httpProblem('t', status, body);
    assert.equal(problem.code, code);
    assert.match(problem.message, new RegExp(`^t: ${status} `));
  });
}
