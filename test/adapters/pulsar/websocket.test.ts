import { openPulsarLog } from '../../../functions/adapters/pulsar/open.js';
import { logContract } from '../../contracts/log.js';
import { notRun } from '../../support/parts.js';
import { startPulsar } from '../../support/pulsar.js';

/** Short, for `find` waits for it. */
const APPEND_DEADLINE_MS = 4_000;

const pulsar = await startPulsar();
if (typeof pulsar === 'string') notRun('Pulsar', pulsar);
else {
  const open = () =>
    openPulsarLog({ url: pulsar.web.replace(/^http/, 'pulsar+ws'), appendDeadlineMs: APPEND_DEADLINE_MS });
  logContract(
    'pulsar, WebSocket API',
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
    { tooLargeBytes: 1_000_000, manyEntries: 10_000 },
  );
}
