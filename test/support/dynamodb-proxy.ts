import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * What happens to a call instead of an answer.
 * `throttle`: refused with that error. `lose-answer`: done, and the connection breaks. `cut`: not done, and the connection breaks.
 * `leave-some`: of a batch only the first is done, the rest is handed back. `leave-all`: nothing of it is done.
 * `stall`: done, and the answer stops in the middle. `late`: the connection breaks, and it is done once `deliverLate` is called.
 * `skewed`: refused as by a server whose clock is an hour ahead of ours.
 */
export type Fault =
  | { throttle: string }
  | 'lose-answer'
  | 'cut'
  | 'leave-some'
  | 'leave-all'
  | 'stall'
  | 'late'
  | 'skewed'
  | 'none';

/** Calls whose answers can say what they cost. */
const MEASURED = /Item$|Items$|^Query$/;

/** Capacity units: a read unit is 4 KB read consistently, a write unit 1 KB written. */
export interface Units {
  read: number;
  write: number;
}

type Body = { RequestItems: Record<string, unknown[]> };

/** Stands before DynamoDB, counts the SDK's calls by their names, and lets some go wrong. */
export class DynamoProxy {
  /** Names of the calls since they were last taken. */
  #calls: string[] = [];
  #underWay = 0;
  #units: Units = { read: 0, write: 0 };
  #throttling: { name: string; share: number; asked: number; refused: number } | null = null;
  readonly #faults: { operation: string; fault: Fault }[] = [];
  readonly #late: (() => Promise<unknown>)[] = [];

  private constructor(
    private readonly target: string,
    private readonly server: Server,
  ) {}

  static async start(target: string): Promise<DynamoProxy> {
    const server = createServer();
    const proxy = new DynamoProxy(target, server);
    server.on('request', (asked, answer) => {
      proxy.#underWay += 1;
      void proxy.#serve(asked, answer).finally(() => {
        proxy.#underWay -= 1;
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Calls that are not answered yet. */
  get underWay(): number {
    return this.#underWay;
  }

  /** The next calls of that name that meet no other fault yet. */
  fail(operation: string, fault: Fault, times = 1): void {
    for (let i = 0; i < times; i += 1) this.#faults.push({ operation, fault });
  }

  /** From now on that share of all calls, evenly, is refused with that error; 0: none. Says how many were until now. */
  throttle(name: string, share: number): number {
    const refused = this.#throttling?.refused ?? 0;
    this.#throttling = share === 0 ? null : { name, share, asked: 0, refused: 0 };
    return refused;
  }

  /** Nothing goes wrong any more. */
  forget(): void {
    this.#faults.length = 0;
  }

  /** Lets through as many calls of that name before the faults that are asked for next. */
  pass(operation: string, times = 1): void {
    this.fail(operation, 'none', times);
  }

  /** Calls since the last time, as `{ PutItem: 1 }`. */
  take(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const name of this.#calls) counts[name] = (counts[name] ?? 0) + 1;
    this.#calls = [];
    return counts;
  }

  /** What the calls have cost since the last time: as DynamoDB says, and by AWS's rules where DynamoDB Local leaves something out. */
  takeUnits(): Units {
    const units = this.#units;
    this.#units = { read: 0, write: 0 };
    return units;
  }

  /** Does what was held back. */
  async deliverLate(): Promise<void> {
    for (const forward of this.#late.splice(0)) await forward();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const operation = String(asked.headers['x-amz-target']).split('.')[1] ?? '';
    const chunks: Buffer[] = [];
    for await (const chunk of asked) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    this.#calls.push(operation);
    if (this.#isThrottled()) return refuse(answer, this.#throttling!.name);
    const index = this.#faults.findIndex((each) => each.operation === operation);
    const fault = index < 0 ? undefined : this.#faults.splice(index, 1)[0]!.fault;
    if (fault === 'cut') return void asked.socket.destroy();
    if (fault === 'late') {
      this.#late.push(() => this.#forward(asked, body));
      return void asked.socket.destroy();
    }
    if (fault === 'skewed') {
      return refuse(answer, 'InvalidSignatureException', { date: new Date(Date.now() + 3_600_000).toUTCString() });
    }
    if (typeof fault === 'object') return refuse(answer, fault.throttle);
    if (fault === 'leave-all') {
      answer.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
      return void answer.end(JSON.stringify({ UnprocessedItems: (JSON.parse(body.toString()) as Body).RequestItems }));
    }
    const left = fault === 'leave-some' ? (JSON.parse(body.toString()) as Body) : undefined;
    const done = await this.#forward(asked, asking(operation, left ? firstOf(left) : body));
    if (MEASURED.test(operation)) this.#add(operation, body, done);
    if (fault === 'lose-answer') return void asked.socket.destroy();
    answer.writeHead(done.status, { 'content-type': 'application/x-amz-json-1.0' });
    if (fault === 'stall') return void answer.write(done.body.subarray(0, 1));
    answer.end(left ? JSON.stringify({ UnprocessedItems: restOf(left) }) : done.body);
  }

  #isThrottled(): boolean {
    const throttling = this.#throttling;
    if (throttling === null) return false;
    throttling.asked += 1;
    const isIt = Math.floor(throttling.asked * throttling.share) > throttling.refused;
    if (isIt) throttling.refused += 1;
    return isIt;
  }

  #add(operation: string, asked: Buffer, done: { status: number; body: Buffer }): void {
    const kind = /^(Get|BatchGet|Query)/.test(operation) ? 'read' : 'write';
    if (operation === 'TransactWriteItems') this.#units.write += transactionUnits(JSON.parse(asked.toString()));
    else if (done.status === 200) this.#units[kind] += consumed(done.body);
    // A write whose condition fails costs what it would have.
    else if (done.body.includes('ConditionalCheckFailed')) this.#units.write += 1;
  }

  #forward(asked: IncomingMessage, body: Buffer): Promise<{ status: number; body: Buffer }> {
    const { authorization, 'x-amz-target': target, 'content-type': type, 'x-amz-date': date } = asked.headers;
    const headers = { authorization, 'x-amz-target': target, 'content-type': type, 'x-amz-date': date } as Record<
      string,
      string
    >;
    return new Promise((resolve, reject) => {
      const forwarded = request(this.target, {
        method: 'POST',
        headers: { ...headers, 'content-length': body.length },
      });
      forwarded.on('response', async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        resolve({ status: response.statusCode ?? 500, body: Buffer.concat(chunks) });
      });
      forwarded.on('error', reject);
      forwarded.end(body);
    });
  }
}

function refuse(answer: ServerResponse, name: string, headers: OutgoingHttpHeaders = {}): void {
  answer.writeHead(400, { 'content-type': 'application/x-amz-json-1.0', ...headers });
  const type = `com.amazonaws.dynamodb.v20120810#${name}`;
  answer.end(JSON.stringify({ __type: type, message: 'asked for by a test' }));
}

interface Transaction {
  TransactItems: { Put?: { Item: Record<string, { S?: string }> } }[];
}

/** Twice that of each item, and of each condition. */
function transactionUnits({ TransactItems: items }: Transaction): number {
  const bytes = (item: Record<string, { S?: string }>): number =>
    Object.entries(item).reduce((sum, [name, { S = '' }]) => sum + name.length + Buffer.byteLength(S), 0);
  return items.reduce((units, { Put }) => units + 2 * Math.max(1, Math.ceil(Put ? bytes(Put.Item) / 1024 : 1)), 0);
}

/** One at least: also of what finds nothing. */
function consumed(body: Buffer): number {
  const { ConsumedCapacity: each = [] } = JSON.parse(body.toString()) as { ConsumedCapacity?: Consumed | Consumed[] };
  return Math.max(
    1,
    [each].flat().reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0),
  );
}

interface Consumed {
  CapacityUnits: number;
}

/** The same call, which asks what it costs. */
function asking(operation: string, body: Buffer): Buffer {
  if (!MEASURED.test(operation)) return body;
  return Buffer.concat([Buffer.from('{"ReturnConsumedCapacity":"TOTAL",'), body.subarray(1)]);
}

function firstOf({ RequestItems }: Body): Buffer {
  return Buffer.from(JSON.stringify({ RequestItems: eachTable(RequestItems, (items) => items.slice(0, 1)) }));
}

function restOf({ RequestItems }: Body): Record<string, unknown[]> {
  return eachTable(RequestItems, (items) => items.slice(1));
}

function eachTable(tables: Body['RequestItems'], of: (items: unknown[]) => unknown[]): Record<string, unknown[]> {
  return Object.fromEntries(Object.entries(tables).map(([name, items]) => [name, of(items)]));
}
