import type { LogRecord } from '../ports/log.js';

/** What others have for the clients of an edge: a record of the edge's topic. */
export interface EdgeOrders {
  /** As presence rows name it: whoever had the topic before is not meant. */
  to: string;
  /** The shard that says it, at its owner's epoch; null: another edge, or a function. */
  from: { shard: number; epoch: number } | null;
  /** Of this owner's for this edge, rising by one: a batch in doubt comes again under its number. */
  number: number;
  orders: readonly EdgeOrder[];
}

export type EdgeOrder =
  /** As `EdgeChannel.deliver`. */
  | { type: 'deliver'; clientId: string; connectionNumber: number; bytes: Uint8Array; droppable: boolean }
  /** As `EdgeChannel.takenOver`. */
  | { type: 'taken-over'; clientId: string; connectionNumber: number }
  /** As `EdgeChannel.comeAgain`. */
  | { type: 'come-again'; clientId: string; connectionNumber: number }
  /** The shard wants to hear when the client has taken what it was sent. */
  | { type: 'say-drained'; clientId: string; connectionNumber: number; request: number };

type Written =
  | [kind: 0, clientId: string, connectionNumber: number, start: number, end: number, droppable: 0 | 1]
  | [kind: 1 | 2, clientId: string, connectionNumber: number]
  | [kind: 3, clientId: string, connectionNumber: number, request: number];

interface Head extends Omit<EdgeOrders, 'orders'> {
  orders: Written[];
}

export const ORDERS_VERSION = '1';
const VERSION_PROPERTY = 'pulsegate-orders';
/** Length of the JSON that stands before the clients' bytes. */
const HEAD_PROPERTY = 'pulsegate-head';

/** Clients' bytes are not made text. What several of them get alike is there once. */
export function toOrderRecord({ orders, ...rest }: EdgeOrders): LogRecord {
  const bodies: Uint8Array[] = [];
  const known = new Map<Uint8Array, number>();
  let length = 0;
  const startOf = (bytes: Uint8Array): number => {
    const there = known.get(bytes);
    if (there !== undefined) return there;
    const start = length;
    known.set(bytes, start);
    bodies.push(bytes);
    length += bytes.length;
    return start;
  };
  const written = orders.map((order): Written => {
    const { clientId, connectionNumber } = order;
    switch (order.type) {
      case 'deliver': {
        const start = startOf(order.bytes);
        return [0, clientId, connectionNumber, start, start + order.bytes.length, order.droppable ? 1 : 0];
      }
      case 'taken-over':
        return [1, clientId, connectionNumber];
      case 'come-again':
        return [2, clientId, connectionNumber];
      default:
        return [3, clientId, connectionNumber, order.request];
    }
  });
  const head = Buffer.from(JSON.stringify({ ...rest, orders: written } satisfies Head));
  return {
    key: rest.to,
    payload: Buffer.concat([head, ...bodies], head.length + length),
    properties: { [VERSION_PROPERTY]: ORDERS_VERSION, [HEAD_PROPERTY]: String(head.length) },
  };
}

export function fromOrderRecord({ payload, properties }: LogRecord): EdgeOrders | { problem: string } {
  const version = properties[VERSION_PROPERTY];
  if (version !== ORDERS_VERSION)
    return { problem: `orders of version ${version ?? 'none'}, and not ${ORDERS_VERSION}` };
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const headLength = Number(properties[HEAD_PROPERTY]);
  try {
    const { orders, ...rest } = JSON.parse(bytes.toString('utf8', 0, headLength)) as Head;
    return { ...rest, orders: orders.map((order) => orderOf(order, bytes.subarray(headLength))) };
  } catch {
    return { problem: 'its head is not JSON' };
  }
}

function orderOf(written: Written, bodies: Uint8Array): EdgeOrder {
  const [kind, clientId, connectionNumber] = written;
  switch (kind) {
    case 0: {
      const [, , , start, end, droppable] = written;
      const bytes = bodies.subarray(start, end);
      return { type: 'deliver', clientId, connectionNumber, bytes, droppable: droppable === 1 };
    }
    case 3:
      return { type: 'say-drained', clientId, connectionNumber, request: written[3] };
    default:
      return { type: kind === 1 ? 'taken-over' : 'come-again', clientId, connectionNumber };
  }
}
