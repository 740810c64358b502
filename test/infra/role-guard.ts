import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scope } from '../support/waiting.js';
import type { Resource } from './template.js';

interface Body {
  TableName?: string;
  RequestItems?: Record<string, unknown>;
  TransactItems?: Record<string, { TableName: string }>[];
}

/** What IAM looks at, where a call has no permission of its own. */
const OF_TRANSACTIONS: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Delete: 'DeleteItem',
  Update: 'UpdateItem',
  ConditionCheck: 'ConditionCheckItem',
};
const FORWARDED = ['authorization', 'content-type', 'x-amz-date', 'x-amz-target'];

/** Stands before DynamoDB and lets through what a role may do, as `PutItem StoreTable`. */
export class RoleGuard {
  readonly used = new Set<string>();
  readonly denied = new Set<string>();
  readonly allowed: ReadonlySet<string>;
  readonly #tables: Readonly<Record<string, string>>;
  #endpoint = '';

  /** `tables`: the template's name of each by DynamoDB's. */
  static async start(
    scope: Scope,
    options: { role: Resource; tables: Readonly<Record<string, string>>; target: string },
  ): Promise<RoleGuard> {
    const guard = new RoleGuard(options.role, options.tables);
    const server = createServer(async (asked, answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of asked) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const operation = String(asked.headers['x-amz-target']).split('.')[1] ?? '';
      const done = guard.#mayDo(operation, JSON.parse(body.toString()))
        ? await forward(options.target, asked.headers, body)
        : { status: 400, text: JSON.stringify({ __type: 'x#AccessDeniedException', message: operation }) };
      answer.writeHead(done.status, { 'content-type': 'application/x-amz-json-1.0' });
      answer.end(done.text);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    guard.#endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    scope.after(async () => {
      server.closeAllConnections();
      server.close();
    });
    return guard;
  }

  private constructor(role: Resource, tables: Readonly<Record<string, string>>) {
    this.#tables = tables;
    this.allowed = new Set(permissionsOf(role));
  }

  get endpoint(): string {
    return this.#endpoint;
  }

  #mayDo(operation: string, body: Body): boolean {
    const needed = neededFor(operation, body).map(([action, table]) => `${action} ${this.#tables[table] ?? table}`);
    for (const each of needed) (this.allowed.has(each) ? this.used : this.denied).add(each);
    return needed.every((each) => this.allowed.has(each));
  }
}

function permissionsOf({ Properties }: Resource): string[] {
  const policies = Properties.Policies as {
    PolicyDocument: { Statement: { Action: string | string[]; Resource: string | string[] }[] };
  }[];
  return policies
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .flatMap(({ Action, Resource: reached }) =>
      [Action].flat().flatMap((action) => [reached].flat().map((arn) => [action, arn] as const)),
    )
    .filter(([action]) => action.startsWith('dynamodb:'))
    .map(([action, arn]) => `${action.slice('dynamodb:'.length)} ${arn.split(':').at(-1)}`);
}

function neededFor(operation: string, { TableName, RequestItems, TransactItems }: Body): [string, string][] {
  if (TransactItems !== undefined) {
    const items = TransactItems.flatMap((item) => Object.entries(item));
    return items.map(([kind, { TableName: table }]) => [OF_TRANSACTIONS[kind] ?? kind, table]);
  }
  const tables = RequestItems === undefined ? [TableName ?? ''] : Object.keys(RequestItems);
  return tables.map((table) => [operation, table]);
}

async function forward(target: string, headers: NodeJS.Dict<string | string[]>, body: Buffer) {
  const kept = Object.fromEntries(FORWARDED.map((name) => [name, String(headers[name])]));
  const response = await fetch(target, { method: 'POST', headers: kept, body });
  return { status: response.status, text: await response.text() };
}
