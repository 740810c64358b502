import { loadNative } from '../../functions/adapters/pulsar/native/client.js';
import { notRun } from '../support/parts.js';
import { bePatient } from '../support/patience.js';
import { type Pulsar, startPulsar } from '../support/pulsar.js';

bePatient();

export interface Transport {
  name: 'websocket' | 'native';
  pulsar: Pulsar;
  /** A program's settings for it. Ports may be others that lead there. */
  settings(ports?: { web?: number; broker?: number }): Record<string, string>;
}

/** The transports that can run here, on the Pulsar that all test files share; what cannot is said. */
export async function transports(): Promise<Transport[]> {
  const pulsar = await startPulsar();
  if (typeof pulsar !== 'string') return transportsTo(pulsar);
  notRun('Pulsar', pulsar);
  return [];
}

export function transportsTo(pulsar: Pulsar): Transport[] {
  const found: Transport[] = [
    {
      name: 'websocket',
      pulsar,
      settings: ({ web = portOf(pulsar.web) } = {}) => ({ PULSEGATE_LOG: `pulsar+ws://127.0.0.1:${web}` }),
    },
  ];
  try {
    loadNative();
    found.push({
      name: 'native',
      pulsar,
      settings: ({ web = portOf(pulsar.web), broker = portOf(pulsar.broker) } = {}) => ({
        PULSEGATE_LOG: `pulsar://127.0.0.1:${broker}`,
        PULSEGATE_PULSAR_WEB: `http://127.0.0.1:${web}`,
      }),
    });
  } catch (error) {
    notRun('native addon: Pulsar', (error as Error).message);
  }
  return found;
}

let namespaces = 0;

/** A namespace of its own, with these policies; resolves with its name. */
export async function namespaceWith(pulsar: Pulsar, policies: object = {}): Promise<string> {
  namespaces += 1;
  const namespace = `public/pulsar-${process.pid}-${Date.now().toString(36)}-${namespaces}`;
  await admin(pulsar, 'PUT', `namespaces/${namespace}`, policies);
  return namespace;
}

/** What nobody waits for any more is kept. */
export const KEPT = { retention_policies: { retentionTimeInMinutes: 60, retentionSizeInMB: 200 } };

/** Pulsar's REST API. */
export async function admin(pulsar: Pulsar, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${pulsar.web}/admin/v2/${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  const text = await answer.text();
  return text === '' ? undefined : JSON.parse(text);
}

export function portOf(url: string): number {
  return Number(new URL(url).port);
}
