import type { Gateway } from '../ports/gateway.js';
import type { Log } from '../ports/log.js';
import { edgeTopic } from '../topics/command-topic.js';
import { slotOf } from './edge-name.js';
import { toOrderRecord } from './edge-orders.js';
import { GATEWAY_EDGE } from './gateway-name.js';

/** The edge of that name has lost a client to the connection with that number. Resolves when it will hear of it. */
export type TakeOver = (edge: string, clientId: string, connectionNumber: number) => Promise<void>;

/** No worker has to be there: the gateway is asked, or the other process is told. */
export function takeOverWith(parts: { log: Pick<Log, 'append'>; gateway: Pick<Gateway, 'close'> | null }): TakeOver {
  return async (edge, clientId, connectionNumber) => {
    if (edge.startsWith(GATEWAY_EDGE)) return parts.gateway?.close(edge.slice(GATEWAY_EDGE.length));
    const slot = slotOf(edge);
    if (slot === null) return;
    const orders = [{ type: 'taken-over', clientId, connectionNumber }] as const;
    await parts.log.append(edgeTopic(slot), toOrderRecord({ to: edge, from: null, number: 0, orders }));
  };
}
