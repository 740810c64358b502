import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../functions/adapters/system/clock.js';
import { serverFrame } from '../../functions/dialect/server-frame.js';
import { PortError } from '../../functions/ports/errors.js';
import { silent } from '../../functions/ports/telemetry.js';
import { GatewayChannel } from '../../functions/runtime/gateway-channel.js';
import { FRAME_MAX_BYTES, GatewayPosts, REPEATED_MAX_BYTES } from '../../functions/runtime/gateway-posts.js';
import { Inbox } from '../support/waiting.js';

const text = (counter: number, bytes: Uint8Array) => `${counter}:${bytes.length}`;

/** Posts of so many bytes each, all taken. */
function taken(...sizes: number[]): GatewayPosts {
  const posts = new GatewayPosts(text);
  for (const size of sizes) {
    posts.add(new Uint8Array(size));
    posts.next();
    posts.taken();
  }
  return posts;
}

/** All that is to be posted, taken. */
function rest(posts: GatewayPosts): string[] {
  const texts: string[] = [];
  while (posts.hasMore) {
    texts.push(posts.next());
    posts.taken();
  }
  return texts;
}

test('what waits is joined into frames of bounded size, and one in doubt is the same again', () => {
  const posts = new GatewayPosts(text);
  posts.add(new Uint8Array(10));
  posts.add(new Uint8Array(FRAME_MAX_BYTES));
  assert.deepEqual([posts.next(), posts.unsentBytes], [`1:${FRAME_MAX_BYTES}`, FRAME_MAX_BYTES + 10]);
  posts.add(new Uint8Array(5));
  assert.deepEqual(rest(posts), [`1:${FRAME_MAX_BYTES}`, '2:15']);
  assert.equal(posts.unsentBytes, 0);
});

test('what a client misses comes again, in order, and before what was not taken yet', () => {
  const posts = taken(1, 2, 3);
  posts.add(new Uint8Array(4));
  posts.next();
  posts.add(new Uint8Array(5));
  assert.equal(posts.repeatAfter(1), true);
  assert.deepEqual(rest(posts), ['2:2', '3:3', '4:4', '5:5']);
  assert.equal(posts.repeatAfter(5), true);
  assert.equal(posts.hasMore, false);
  assert.equal(posts.repeatAfter(0), true, 'and once more, from the first');
  assert.deepEqual(rest(posts), ['1:1', '2:2', '3:3', '4:4', '5:5']);
});

test('a client that misses more than is kept is not served on', () => {
  const posts = taken(1, 2, FRAME_MAX_BYTES, FRAME_MAX_BYTES, REPEATED_MAX_BYTES - 2 - 2 * FRAME_MAX_BYTES);
  assert.equal(posts.repeatAfter(0), false);
  assert.equal(posts.repeatAfter(1), true);
  const none = new GatewayPosts(text);
  assert.equal(none.repeatAfter(0), true);
  none.add(new Uint8Array(1));
  none.next();
  assert.deepEqual([none.repeatAfter(0), rest(none)], [true, ['1:1']]);
});

test('a post is never larger than a frame of the gateway', () => {
  const number = 999_999_999_999_999;
  const largest = serverFrame({ type: 'worker', epoch: number, number, bytes: new Uint8Array(FRAME_MAX_BYTES) });
  assert.ok(largest.length <= 32 * 1024);
});

test('what waits for another try goes out at once where its client goes on', async () => {
  const posted = new Inbox<string>();
  const gateway = {
    post: async (id: string) => {
      if (id === 'old') throw new PortError('gone', id);
      posted.add(id);
    },
    close: async () => {},
  };
  // Whoever waits waits for ever.
  const clock = { ...systemClock, after: () => () => {} };
  const parts = { clock, telemetry: silent, gateway, frame: text, lost: () => assert.fail('it is there') };
  const limits = { gatewayPostsPerS: 1_000, gatewayPostsMax: 2, sendBufferMaxBytes: 1_000 };
  const channel = new GatewayChannel(parts, limits);
  channel.connected('client', 1, 'old');
  channel.deliver('client', 1, new Uint8Array(3), false);
  await new Promise((resume) => setTimeout(resume, 20));
  channel.moved('client', 1, { gatewayId: 'new', frame: 1, has: 0 });
  assert.equal(await posted.take('it'), 'new');
});

test('a frame that was under way to the old name of a connection is posted to the new one', async () => {
  const posted = new Inbox<{ id: string; text: string; answer: () => void }>();
  const gateway = {
    post: (id: string, text: string) => new Promise<void>((answer) => posted.add({ id, text, answer })),
    close: async () => {},
  };
  const parts = { clock: systemClock, telemetry: silent, gateway, frame: text, lost: () => assert.fail('it is there') };
  const channel = new GatewayChannel(parts, {
    gatewayPostsPerS: 1_000,
    gatewayPostsMax: 2,
    sendBufferMaxBytes: 1_000,
  });
  channel.connected('client', 1, 'old');
  channel.deliver('client', 1, new Uint8Array(3), false);
  const first = await posted.take('the first');
  assert.equal(channel.moved('client', 1, { gatewayId: 'new', frame: 1, has: 0 }), true);
  first.answer();
  const second = await posted.take('the same');
  assert.deepEqual([second.id, second.text], ['new', '1:3']);
  second.answer();
  channel.deliver('client', 1, new Uint8Array(4), false);
  const third = await posted.take('the next');
  assert.deepEqual([third.id, third.text], ['new', '2:4']);
});
