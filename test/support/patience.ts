/**
 * What the program of an end-to-end test keeps its log and store in: `embedded`, or Pulsar, over one of its transports, with
 * DynamoDB; `gateway`: that, and clients come through API Gateway. The test command bundles those files once for each.
 */
export const BACKING = (process.env.PULSEGATE_TEST_BACKING ?? 'embedded') as
  | 'embedded'
  | 'websocket'
  | 'native'
  | 'gateway';

const ON_PULSAR = 4;

/** How much longer things take than on the embedded log. */
export let PATIENCE = BACKING === 'embedded' ? 1 : ON_PULSAR;

/** For a test file that has Pulsar whatever the backing. */
export function bePatient(): void {
  PATIENCE = ON_PULSAR;
}
