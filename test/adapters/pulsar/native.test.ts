import { loadNative } from '../../../functions/adapters/pulsar/native/client.js';
import { openPulsarLog } from '../../../functions/adapters/pulsar/open.js';
import { logContract } from '../../contracts/log.js';
import { notRun } from '../../support/parts.js';
import { startPulsar } from '../../support/pulsar.js';

/** Short, for `find` waits for it. */
const APPEND_DEADLINE_MS = 4_000;

const missing = whyNoAddon();
const pulsar = missing === undefined ? await startPulsar() : undefined;
if (missing !== undefined) notRun('native addon: pulsar-client', missing);
else if (typeof pulsar === 'string') notRun('Pulsar', pulsar);
else if (pulsar !== undefined) {
  const { broker, web } = pulsar;
  const open = () => openPulsarLog({ url: broker, webUrl: web, appendDeadlineMs: APPEND_DEADLINE_MS });
  logContract(
    'pulsar, native client',
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
    { tooLargeBytes: 5 * 1024 * 1024 + 1, manyEntries: 50_000 },
  );
}

function whyNoAddon(): string | undefined {
  try {
    loadNative();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
