import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PortError } from '../../ports/errors.js';

/** What says that asking again does not help: there is none, or it is not for us. */
const REFUSALS = [
  'ResourceNotFoundException',
  'AccessDeniedException',
  'InvalidRequestException',
  'InvalidParameterException',
  'DecryptionFailure',
  'UnrecognizedClientException',
];
const ATTEMPTS = 2;
const CONNECT_MAX_MS = 2_000;
const ANSWER_MAX_MS = 3_000;

/**
 * Texts of secrets out of AWS Secrets Manager, by name or ARN; of an ARN the region is its own. The client is loaded with the
 * first one, and finds credentials and end point as every client of AWS does. Rejects with `PortError`.
 */
export function secretsManager(region: () => string): (name: string) => Promise<string> {
  const clients = new Map<string, Promise<SecretsManagerClient>>();
  return async (name) => {
    const { GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
    const place = /^arn:[\w-]+:secretsmanager:([\w-]+):/.exec(name)?.[1] ?? region();
    const client = clients.get(place) ?? open(place);
    clients.set(place, client);
    try {
      const { SecretString, SecretBinary } = await (await client).send(new GetSecretValueCommand({ SecretId: name }));
      return SecretString ?? Buffer.from(SecretBinary ?? '').toString();
    } catch (cause) {
      const isRefused = cause instanceof Error && REFUSALS.includes(cause.name);
      const text = `the secret ${name} cannot be read: ${String(cause)}`;
      throw new PortError(isRefused ? 'refused' : 'unavailable', text, { cause });
    }
  };
}

async function open(region: string): Promise<SecretsManagerClient> {
  const { SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  return new SecretsManagerClient({
    region,
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_MAX_MS, requestTimeout: ANSWER_MAX_MS },
  });
}
