import { loadNative } from '../../functions/adapters/pulsar/native/client.js';
import type { Pulsar } from '../support/pulsar.js';
import { sharedService } from '../support/shared-service.js';
import type { Scope } from '../support/waiting.js';

/** Where the bench finds Pulsar, and a namespace there that is its own. */
export interface BenchPulsar {
  /** As `PULSEGATE_LOG` has it: native, or over Pulsar's WebSocket API. */
  log: string;
  /** `http://host:port` of REST and WebSocket API. */
  web: string;
  namespace: string;
  /** Of the Pulsar that was started for this run; null: it ran before. */
  pid: number | null;
}

let namespaces = 0;

const WEB_PORT = 8080;

/**
 * `pulsar` and `pulsar+ws` start a Pulsar here for this run; URLs, as `PULSEGATE_LOG` has them, name one that runs. Says
 * what differs from what was asked: without the native addon everything goes over Pulsar's WebSocket API.
 */
export async function benchPulsar(scope: Scope, asked: string, webAsked: string | undefined): Promise<BenchPulsar> {
  const { log, web, pid } = await found(asked, webAsked);
  return { log, web, pid, namespace: await namespaceOn(scope, web) };
}

/** A new namespace, until the scope ends. */
export async function namespaceOn(scope: Scope, web: string): Promise<string> {
  namespaces += 1;
  const namespace = `public/bench-${process.pid}-${Date.now().toString(36)}-${namespaces}`;
  const path = `${web}/admin/v2/namespaces/${namespace}`;
  const made = await fetch(path, { method: 'PUT' });
  if (!made.ok) throw new Error(`${namespace} cannot be made: ${made.status} ${await made.text()}`);
  scope.after(() => removed(web, namespace));
  return namespace;
}

type Found = Pick<BenchPulsar, 'log' | 'web' | 'pid'>;

async function found(asked: string, webAsked: string | undefined): Promise<Found> {
  if (asked === 'pulsar' || asked === 'pulsar+ws') {
    console.log('A Pulsar is started for this run.');
    const pulsar = await sharedService<Pulsar & { group: number }>('pulsar');
    if (typeof pulsar === 'string') throw new Error(pulsar);
    const { broker, web, group: pid } = pulsar;
    return { ...(asked === 'pulsar' ? nativeOr(broker, web) : { log: overWeb(web), web }), pid };
  }
  if (!/^pulsar(\+ws)?:\/\/[^/]+\/?$/.test(asked)) {
    throw new Error(`--log is ${asked}; valid: pulsar, pulsar+ws, pulsar://host:6650, pulsar+ws://host:8080`);
  }
  const { protocol, host, hostname } = new URL(asked);
  if (protocol === 'pulsar+ws:') return { log: asked, web: `http://${host}`, pid: null };
  return { ...nativeOr(asked, webAsked ?? `http://${hostname}:${WEB_PORT}`), pid: null };
}

function nativeOr(broker: string, web: string): Pick<BenchPulsar, 'log' | 'web'> {
  try {
    loadNative();
    return { log: broker, web };
  } catch (error) {
    console.log(`Program, relay and transport go over Pulsar's WebSocket API: ${(error as Error).message}`);
    return { log: overWeb(web), web };
  }
}

function overWeb(web: string): string {
  return web.replace(/^http/, 'pulsar+ws');
}

/** As far as Pulsar lets us: a namespace that is left over holds nobody up. */
async function removed(web: string, namespace: string): Promise<void> {
  const topics = await fetch(`${web}/admin/v2/persistent/${namespace}`).then(
    (answer) => answer.json(),
    () => [],
  );
  for (const topic of topics as string[]) {
    const path = topic.replace('persistent://', 'persistent/');
    await fetch(`${web}/admin/v2/${path}?force=true`, { method: 'DELETE' }).catch(() => {});
  }
  await fetch(`${web}/admin/v2/namespaces/${namespace}`, { method: 'DELETE' }).catch(() => {});
}
