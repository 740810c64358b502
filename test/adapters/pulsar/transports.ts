import { loadNative } from '../../../functions/adapters/pulsar/native/client.js';
import { openPulsarLog } from '../../../functions/adapters/pulsar/open.js';
import type { PulsarOptions } from '../../../functions/adapters/pulsar/options.js';
import type { Log } from '../../../functions/ports/log.js';
import { notRun } from '../../support/parts.js';
import { type Pulsar, startPulsar } from '../../support/pulsar.js';

export interface TransportUnderTest {
  name: 'WebSocket API' | 'native client';
  pulsar: Pulsar;
  open(options?: Partial<PulsarOptions>): Promise<Log>;
}

/** Short, for `find` waits for it; and long enough for a Pulsar that has just started. */
export const APPEND_DEADLINE_MS = 4_000;

/** What can run here; what cannot is said. */
export async function transports(): Promise<TransportUnderTest[]> {
  const pulsar = await startPulsar();
  if (typeof pulsar === 'string') {
    notRun('Pulsar', pulsar);
    return [];
  }
  const open =
    (own: PulsarOptions) =>
    (options: Partial<PulsarOptions> = {}) =>
      openPulsarLog({ appendDeadlineMs: APPEND_DEADLINE_MS, ...own, ...options });
  const url = pulsar.web.replace(/^http/, 'pulsar+ws');
  const found: TransportUnderTest[] = [{ name: 'WebSocket API', pulsar, open: open({ url }) }];
  try {
    loadNative();
    found.push({ name: 'native client', pulsar, open: open({ url: pulsar.broker, webUrl: pulsar.web }) });
  } catch (error) {
    notRun('native addon: Pulsar', (error as Error).message);
  }
  return found;
}

/** Pulsar's REST API. */
export async function rest(pulsar: Pulsar, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${pulsar.web}/admin/v2/${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  const text = await answer.text();
  return text === '' ? undefined : JSON.parse(text);
}
