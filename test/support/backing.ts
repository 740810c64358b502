import { loadNative } from '../../functions/adapters/pulsar/native/client.js';
import { DYNAMO_CREDENTIALS, DYNAMO_REGION, testDynamo } from './dynamodb.js';
import { notRun } from './parts.js';
import { BACKING } from './patience.js';
import { startPulsar } from './pulsar.js';

/** Replay needs what nobody waits for any more. */
const KEPT = { retention_policies: { retentionTimeInMinutes: 60, retentionSizeInMB: 200 } };

type Transport = 'websocket' | 'native';
type Services = Awaited<ReturnType<typeof remoteServices>>;

let programs = 0;
const TRANSPORT = BACKING === 'native' ? 'native' : 'websocket';
const services = BACKING === 'embedded' ? null : await remoteServices(TRANSPORT);

/** Settings for one program: a namespace and a table of its own. Those of the embedded parts are the caller's. */
export async function backingSettings(): Promise<Record<string, string>> {
  return services === null ? {} : remoteSettings(services, TRANSPORT);
}

/** The same of any services. */
export async function remoteSettings(
  { pulsar, dynamo }: Services,
  transport: Transport,
): Promise<Record<string, string>> {
  programs += 1;
  const namespace = `public/test-${process.pid}-${Date.now().toString(36)}-${programs}`;
  const made = await fetch(`${pulsar.web}/admin/v2/namespaces/${namespace}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(KEPT),
  });
  if (!made.ok) throw new Error(`${namespace}: ${made.status} ${await made.text()}`);
  const isNative = transport === 'native';
  return {
    PULSEGATE_LOG: isNative ? pulsar.broker : pulsar.web.replace(/^http/, 'pulsar+ws'),
    ...(isNative && { PULSEGATE_PULSAR_WEB: pulsar.web }),
    PULSEGATE_PULSAR_NAMESPACE: namespace,
    // A program that was killed leaves appends in doubt, and the next waits for so long.
    PULSEGATE_APPEND_DEADLINE_MS: '3000',
    // It also leaves a lease, which the next waits for.
    PULSEGATE_WORKER_LEASE_MS: '500',
    PULSEGATE_STORE: `dynamodb:?${new URLSearchParams({
      prefix: namespace.slice('public/'.length),
      region: DYNAMO_REGION,
      endpoint: dynamo.endpoint,
      make: 'yes',
    })}`,
    AWS_ACCESS_KEY_ID: DYNAMO_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: DYNAMO_CREDENTIALS.secretAccessKey,
  };
}

/** Pulsar, which that transport reaches, and DynamoDB. Where a part is missing the file has no tests, and says so. */
export async function remoteServices(transport: Transport) {
  const why = (part: string, reason: string): never => {
    notRun(`${part}: end to end on Pulsar`, reason);
    process.exit(0);
  };
  if (transport === 'native') {
    try {
      loadNative();
    } catch (error) {
      why('native addon', (error as Error).message);
    }
  }
  const pulsar = await startPulsar();
  if (typeof pulsar === 'string') return why('Pulsar', pulsar);
  const dynamo = await testDynamo();
  if (typeof dynamo === 'string') return why('DynamoDB Local', dynamo);
  return { pulsar, dynamo };
}
