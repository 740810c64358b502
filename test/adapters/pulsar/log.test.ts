import { logContract } from '../../contracts/log.js';
import { transports } from './transports.js';

/** What each refuses: the WebSocket API has a bound of its own on its frames, with the payload in base64. */
const CAPABILITIES = {
  'WebSocket API': { tooLargeBytes: 800_000, manyEntries: 10_000 },
  'native client': { tooLargeBytes: 5 * 1024 * 1024 + 1, manyEntries: 50_000 },
};

for (const { name, open } of await transports()) {
  logContract(
    `pulsar, ${name}`,
    async () => {
      let log = await open();
      return {
        log,
        async reopen() {
          await log.close();
          log = await open();
          return log;
        },
        close: () => log.close(),
      };
    },
    CAPABILITIES[name],
  );
}
