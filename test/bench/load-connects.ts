/**
 * Clients that connect, subscribe to a topic of their own, have their SUBACK, and then do nothing. In a process of its own,
 * which holds the other ends of the connections until it is told to end.
 */
import { LoadClient, type Session } from './load-client.js';
import { openMany } from './open-many.js';

export interface ConnectsTask {
  url: string;
  clients: number;
  session: Session;
}

export interface ConnectsResult {
  /** From the first CONNECT to the last SUBACK. */
  tookMs: number;
  /** Of this process, in that time. */
  cpuMs: number;
}

process.once('message', (task: ConnectsTask) => {
  run(task).catch((error) => {
    console.error(error);
    process.exit(1);
  });
});
process.on('disconnect', () => process.exit());

async function run({ url, clients, session }: ConnectsTask): Promise<void> {
  const begun = performance.now();
  const cpuBegun = process.cpuUsage();
  const open = await openMany(clients, (i) => {
    const id = `${session.clean ? 'clean' : 'kept'}-${process.pid}-${i}`;
    return LoadClient.connect(url, id, { topic: `idle/${id}`, qos: 1 }, session);
  });
  const { user, system } = process.cpuUsage(cpuBegun);
  process.send?.({ tookMs: performance.now() - begun, cpuMs: (user + system) / 1_000 } satisfies ConnectsResult);
  process.once('message', () => {
    for (const client of open) client.end();
    process.disconnect();
  });
}
