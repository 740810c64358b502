import { randomBytes } from 'node:crypto';
import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { PortError } from '../../ports/errors.js';
import { closed, isPassing, toPortError, verdictOn } from './errors.js';
import type { Place, Range } from './keys.js';
import { NOT_NEWER, refuseNewer, VERSION, VERSION_VALUE, VERSIONED_KEY } from './row-version.js';

export type Item = Record<string, AttributeValue>;

/** How often a call is made whose answer does not come; a throttled one until its deadline. */
const DOUBTFUL_CALLS_MAX = 3;
const FIRST_DELAY_MS = 25;
const LONGEST_DELAY_MS = 2_000;

export interface CallsOptions {
  /** Calls under way at once; more wait. */
  connections: number;
  /** From asking to giving up: waiting for a connection, all tries and the delays between them. The last try may end after it. */
  callMaxMs: number;
}

export interface Condition {
  expression: string;
  /** For attributes whose names are words of DynamoDB's. */
  names?: Record<string, string>;
  values?: Item;
}

/** `held`: the condition held, and `old` was there before. Else `there` is what did not fulfil it. */
export type Conditional = { held: true; old: Item | undefined } | { held: false; there: Item | undefined };

/**
 * Calls of one table: bounded in number and time, repeated with full jitter while that may help, rejecting with `PortError`. What a
 * newer version of Pulsegate wrote is `refused` by all: see `row-version.ts`.
 */
export class Calls {
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;
  #onIdle = (): void => {};

  constructor(
    private readonly client: DynamoDBClient,
    readonly table: string,
    readonly options: CallsOptions,
  ) {}

  /** Consistent. */
  async get(place: Place): Promise<Item | undefined> {
    const command = new GetItemCommand({ TableName: this.table, Key: keyOf(place), ConsistentRead: true });
    const { Item: item } = await this.send(() => this.client.send(command));
    refuseNewer(item);
    return item;
  }

  /**
   * One consistent call: up to `limit` items in order of key, as many as fit DynamoDB's megabyte; `more` where there may be more.
   * `after` need not exist, but has to be in the range.
   */
  async query(
    range: Range,
    after: string | null,
    limit: number,
    keysOnly = false,
  ): Promise<{ items: Item[]; more: boolean }> {
    const { pk, prefix, between } = range;
    const values: Item = { ':pk': { S: pk } };
    let expression = 'pk = :pk';
    if (prefix) {
      expression += ' AND begins_with(sk, :prefix)';
      values[':prefix'] = { S: prefix };
    } else if (between) {
      expression += ' AND sk BETWEEN :from AND :to';
      values[':from'] = { S: between[0] };
      values[':to'] = { S: between[1] };
    }
    const command = new QueryCommand({
      TableName: this.table,
      KeyConditionExpression: expression,
      ExpressionAttributeValues: values,
      ConsistentRead: true,
      Limit: limit,
      ...(after === null ? {} : { ExclusiveStartKey: keyOf({ pk, sk: after }) }),
      ...(keysOnly ? { ProjectionExpression: VERSIONED_KEY } : {}),
    });
    const { Items: items = [], LastEvaluatedKey: last } = await this.send(() => this.client.send(command));
    for (const item of items) refuseNewer(item);
    return { items, more: last !== undefined };
  }

  /** `item` carries an `id` of its own, by which a write whose answer was lost is known again. */
  put(item: Item, condition?: Condition): Promise<Conditional> {
    const command = new PutItemCommand({
      TableName: this.table,
      Item: { ...VERSION, ...item },
      ReturnValues: 'ALL_OLD',
      ...asked(condition),
    });
    return this.#conditional(
      () => this.client.send(command),
      (there) => there?.id !== undefined && there.id.S === item.id?.S,
    );
  }

  /** Changes attributes of an item that is there; again and again is as once. */
  async stamp(
    place: Place,
    attributes: Item,
    expression: string,
    values: Item,
  ): Promise<{ held: true; item: Item } | { held: false; there: Item | undefined }> {
    const names = Object.keys(attributes);
    const command = new UpdateItemCommand({
      TableName: this.table,
      Key: keyOf(place),
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
      ConditionExpression: `attribute_exists(pk) AND ${expression} AND ${NOT_NEWER}`,
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: {
        ...Object.fromEntries(names.map((name) => [`:${name}`, attributes[name]!])),
        ...values,
        ...VERSION_VALUE,
      },
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    const answer = await this.#conditional(
      () => this.client.send(command),
      () => false,
    );
    return answer.held ? { held: true, item: answer.old! } : answer;
  }

  /** Where an earlier try was in doubt and now nothing is there, that try did it. */
  delete(place: Place, condition?: Condition): Promise<Conditional> {
    const command = new DeleteItemCommand({
      TableName: this.table,
      Key: keyOf(place),
      ReturnValues: 'ALL_OLD',
      ...asked(condition),
    });
    return this.#conditional(
      () => this.client.send(command),
      (there, inDoubt) => inDoubt && there === undefined,
    );
  }

  /** Makes a call until it succeeds, fails for good, or its time is up. */
  async send<T>(call: () => Promise<T>, onDoubt?: () => void): Promise<T> {
    const deadlineMs = performance.now() + this.options.callMaxMs;
    let unanswered = 0;
    for (let made = 1; ; made += 1) {
      if (this.#isClosed) throw closed();
      const delayMs = delayAfter(made);
      try {
        return await this.#bounded(call, deadlineMs);
      } catch (error) {
        const verdict = verdictOn(error);
        if (verdict === 'in-doubt') onDoubt?.();
        if (verdict === 'in-doubt' || verdict === 'no-credentials') unanswered += 1;
        const mayRepeat = isPassing(verdict) && unanswered < DOUBTFUL_CALLS_MAX;
        if (!mayRepeat || performance.now() + delayMs > deadlineMs) throw toPortError(error, verdict);
      }
      await sleep(delayMs);
    }
  }

  /** Finishes the calls that are under way; later ones reject `gone`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    this.client.destroy();
  }

  async #conditional(
    call: () => Promise<{ Attributes?: Item | undefined }>,
    isOurs: (there: Item | undefined, inDoubt: boolean) => boolean,
  ): Promise<Conditional> {
    let inDoubt = false;
    try {
      const answer = await this.send(call, () => {
        inDoubt = true;
      });
      return { held: true, old: answer.Attributes };
    } catch (error) {
      const cause = (error as Error).cause;
      if (verdictOn(cause) !== 'condition') throw error;
      const there = (cause as { Item?: Item }).Item;
      refuseNewer(there);
      return isOurs(there, inDoubt) ? { held: true, old: undefined } : { held: false, there };
    }
  }

  async #bounded<T>(call: () => Promise<T>, deadlineMs: number): Promise<T> {
    if (this.#underWay >= this.options.connections) await new Promise<void>((resume) => this.#waiting.push(resume));
    else this.#underWay += 1;
    try {
      if (performance.now() > deadlineMs)
        throw new PortError('unavailable', 'DynamoDB: no connection was free in time');
      return await call();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#underWay -= 1;
      if (this.#underWay === 0) this.#onIdle();
    }
  }
}

/** What is left over of a batch and handed in again: gives up once nothing of it got through for as long as one call may take. */
export class Leftovers {
  #made = 0;
  #deadlineMs: number;

  constructor(private readonly calls: Calls) {
    this.#deadlineMs = performance.now() + calls.options.callMaxMs;
  }

  /** Resolves when it is time to hand in the rest. */
  async wait(hasProgress: boolean): Promise<void> {
    if (hasProgress) {
      this.#made = 0;
      this.#deadlineMs = performance.now() + this.calls.options.callMaxMs;
    }
    this.#made += 1;
    const delayMs = delayAfter(this.#made);
    if (performance.now() + delayMs > this.#deadlineMs) {
      throw new PortError('unavailable', 'DynamoDB: leaves what it is given unprocessed');
    }
    await sleep(delayMs);
  }
}

/** Full jitter: callers that were throttled together do not come back together. */
function delayAfter(made: number): number {
  return Math.random() * Math.min(FIRST_DELAY_MS * 2 ** (made - 1), LONGEST_DELAY_MS);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, ms));
}

/** Of one write, never given twice; sorts by its time in milliseconds. */
export function writeId(nowMs: number): string {
  return `${String(nowMs).padStart(15, '0')}-${randomBytes(6).toString('hex')}`;
}

export function keyOf({ pk, sk }: Place): Item {
  return { pk: { S: pk }, sk: { S: sk } };
}

export function placeOf(item: Item): Place {
  return { pk: item.pk!.S!, sk: item.sk!.S! };
}

export function n(value: number): AttributeValue {
  return { N: String(value) };
}

function asked({ expression, names, values }: Partial<Condition> = {}): object {
  return {
    ConditionExpression: expression === undefined ? NOT_NEWER : `(${expression}) AND ${NOT_NEWER}`,
    ...(names ? { ExpressionAttributeNames: names } : {}),
    ExpressionAttributeValues: { ...values, ...VERSION_VALUE },
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  };
}
