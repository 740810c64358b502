/**
 * What the program of an end-to-end test keeps its log and store in: `embedded`, or Pulsar, over one of its transports, with
 * DynamoDB. The test command bundles those files once for each.
 */
export const BACKING = (process.env.PULSEGATE_TEST_BACKING ?? 'embedded') as 'embedded' | 'websocket' | 'native';

/** How much longer things take than on the embedded log. */
export const PATIENCE = BACKING === 'embedded' ? 1 : 4;
