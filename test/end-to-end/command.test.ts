import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StockClient } from '../support/clients.js';
import { Program, runProgram } from '../support/program.js';

test('every unknown setting and every bad value is named, with the valid form, and nothing starts', async () => {
  const { code, stdout, stderr } = await runProgram({
    PULSEGATE_LISTEN: 'http://127.0.0.1:1/mqtt',
    PULSEGATE_LISTENN: 'ws://127.0.0.1:0/mqtt',
    PULSEGATE_LOG: 'files:here',
    PULSEGATE_SHARDS: 'many',
    PULSEGATE_PACKET_MAX_BYTES: '-1',
    PULSEGATE_LOG_LEVEL: 'loud',
  });
  assert.equal(code, 1);
  assert.equal(stdout, '');
  const problems = stderr.split('\n').filter((line) => line.startsWith('- '));
  const named = ['LISTENN', 'LISTEN ', 'LOG ', 'SHARDS', 'PACKET_MAX_BYTES', 'LOG_LEVEL'];
  for (const name of named) {
    assert.equal(problems.filter((line) => line.startsWith(`- PULSEGATE_${name}`)).length, 1, `${name}:\n${stderr}`);
  }
  assert.equal(problems.length, named.length);
  assert.ok(
    problems.every((line) => /valid: |did you mean PULSEGATE_LISTEN\?/.test(line)),
    stderr,
  );
  assert.doesNotMatch(stderr, /\n\s+at /);
});

test('an unknown word on the command line is refused', async () => {
  const { code, stderr } = await runProgram({}, ['--verbose']);
  assert.equal(code, 1);
  assert.match(stderr, /--verbose/);
});

test('--help names every setting and --version says a version', async () => {
  const help = await runProgram({}, ['--help']);
  assert.equal(help.code, 0);
  for (const name of ['ROLE', 'LISTEN', 'LOG', 'STORE', 'SHARDS', 'AUTH'])
    assert.match(help.stdout, new RegExp(`PULSEGATE_${name}\\b`));
  const version = await runProgram({}, ['--version']);
  assert.deepEqual([version.code, version.stderr], [0, '']);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

test('a second start on the same data directory is refused and leaves the first alone', async (t) => {
  const first = await Program.start(t);
  const data = `embedded:${first.directory}`;
  const second = await runProgram({
    PULSEGATE_LISTEN: 'ws://127.0.0.1:0/mqtt',
    PULSEGATE_LOG: data,
    PULSEGATE_STORE: data,
  });
  assert.equal(second.code, 1);
  assert.ok(second.stderr.includes(first.directory), second.stderr);
  assert.doesNotMatch(second.stderr, /\n\s+at /);
  const client = await StockClient.connect(t, first.url, 5);
  await client.publish('still/there', 'x', { qos: 1 });
});
