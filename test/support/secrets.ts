import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { sharedService } from './shared-service.js';
import { unique } from './waiting.js';

const REGION = 'eu-central-1';

/** Secrets of a run's own, and what a program needs to find them. */
export interface TestSecrets {
  /** How clients of AWS find the emulator. */
  env: Readonly<Record<string, string>>;
  /** Makes one; resolves with its name. */
  make(text: string | Uint8Array): Promise<string>;
  change(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
}

// Said once a process about Node 20; it says nothing about a test.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

/** Moto's Secrets Manager, one for all test files of a run. A text says why there is none: for `notRun`. */
export async function testSecrets(): Promise<TestSecrets | string> {
  const service = await sharedService<{ endpoint: string }>('secrets');
  if (typeof service === 'string') return service;
  const { endpoint } = service;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new SecretsManagerClient({ endpoint, region: REGION, credentials });
  return {
    env: {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    },
    async make(text) {
      const Name = `${unique('pulsegate/test')}-${process.pid}`;
      const value = typeof text === 'string' ? { SecretString: text } : { SecretBinary: text };
      await client.send(new CreateSecretCommand({ Name, ...value }));
      return Name;
    },
    async change(name, SecretString) {
      await client.send(new PutSecretValueCommand({ SecretId: name, SecretString }));
    },
    async remove(name) {
      await client.send(new DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }));
    },
  };
}
