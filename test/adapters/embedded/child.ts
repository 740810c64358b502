/**
 * What tests of the data directory run in processes of their own: `child.js COMMAND DIRECTORY`. Says one line per event.
 * `append` appends without end and says each position once it is acknowledged; `hold` opens, says so and stays; `fill` appends
 * until the log is full, says so, and goes on as its parent says by lines on standard input.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { openEmbedded } from '../../../functions/adapters/embedded/embedded.js';
import { portErrorCode } from '../../../functions/ports/errors.js';

const [command, directory] = process.argv.slice(2) as [string, string];

try {
  const { log, store, close } = await openEmbedded(directory);
  const append = (n: number, bytes: number) =>
    log.append('t', { key: 'k', payload: new Uint8Array(bytes), properties: { n: `${n}` } });
  say('open');
  if (command === 'append') {
    for (let n = 0, lane = 0; lane < 200; lane++) {
      const next = (): void => {
        const mine = n++;
        append(mine, 100).then(({ position }) => {
          say(`${mine} ${position}`);
          next();
        });
      };
      next();
    }
  }
  if (command === 'fill') {
    let n = 0;
    const attempt = (bytes: number) =>
      append(n++, bytes).then(
        () => say(`kept ${n - 1}`),
        (error: unknown) => say(portErrorCode(error)),
      );
    for await (const line of createInterface({ input: process.stdin })) {
      if (line === 'close') await close().then(() => say('closed'));
      else if (line === 'claim')
        await store.shards.claim(0, 'x').then(
          () => say('claimed'),
          (error) => say(portErrorCode(error)),
        );
      else await attempt(Number(line));
    }
  }
  process.stdin.resume();
} catch (error) {
  say((error as { code: string }).code);
  process.exit();
}

/** Straight to the pipe: what is said has been said when the process is killed. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}
