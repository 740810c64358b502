// DynamoDB refuses a share of all calls for some seconds, as a table that is too small for its load does.
import { DynamoProxy } from '../support/dynamodb-proxy.js';
import { drill } from './drill.js';

const BETWEEN_MS = 1_500;
const THROTTLED_MS = 5_000;
const SHARE = 0.4;

drill('throttled', 'DynamoDB refuses four of ten calls for some seconds', async (stage) => {
  const proxy = await DynamoProxy.start(stage.dynamo.endpoint);
  stage.scope.after(() => proxy.stop());
  const PULSEGATE_STORE = stage.settings.PULSEGATE_STORE!.replace(
    encodeURIComponent(stage.dynamo.endpoint),
    encodeURIComponent(proxy.endpoint),
  );
  const fleet = await stage.fleet(2, ['edge', 'edge', 'fan-out', 'fan-out'], { PULSEGATE_STORE });
  const load = await stage.load(fleet);
  await stage.rounds(async (number) => {
    await load.pass(BETWEEN_MS);
    const name = number % 2 === 0 ? 'ProvisionedThroughputExceededException' : 'ThrottlingException';
    const at = load.fault();
    proxy.throttle(name, SHARE);
    await load.pass(THROTTLED_MS);
    const refused = proxy.throttle(name, 0);
    stage.say(`${refused} calls were refused with ${name}`);
    await load.delivered(at);
    await load.delivered(performance.now(), 'first delivery after it was over');
  });
  await fleet.balanced();
  await load.pass(BETWEEN_MS);
  await stage.finish();
});
