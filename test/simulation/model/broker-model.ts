import { filterMatches } from '../../../functions/topics/filter-match.js';

/** How the model's clients see one packet: what must be equal. */
export type Line = string;

export interface Options {
  qos: 0 | 1 | 2;
  noLocal: boolean;
  retainAsPublished: boolean;
  retainHandling: 0 | 1 | 2;
  identifier?: number;
}

export interface Message {
  topic: string;
  payload: string;
  qos: 0 | 1 | 2;
  retain: boolean;
}

interface Delivery extends Message {
  identifiers: number[];
  /** PUBREC has come. */
  released?: boolean;
  /** Of being sent for the first time. */
  order?: number;
}

interface Due {
  filter: string;
  options: Options;
  /** Publications so far. */
  since: number;
  after: string;
}

interface Session {
  connected: boolean;
  expiryMs: number;
  leftAtMs: number;
  receiveMaximum: number;
  subscriptions: Map<string, Options>;
  inFlight: Delivery[];
  /** From before this connection: in flight, then queued. */
  owed: { delivery: Delivery; dup: boolean }[];
  /** Retained messages that SUBSCRIBEs asked for. */
  due: Due[];
  /** Behind those: what has come since and does not fit the window. */
  waiting: Delivery[];
  will: { message: Message; delayMs: number } | null;
}

/** MQTT in one place: no packets, no storage, nothing at the same time. What each client is sent is in `sent`. */
export class BrokerModel {
  readonly sent = new Map<string, Line[]>();
  readonly #sessions = new Map<string, Session>();
  readonly #retained = new Map<string, { message: Message; number: number }>();
  #published = 0;
  #sent = 0;

  isConnected(client: string): boolean {
    return this.#sessions.get(client)?.connected === true;
  }

  connect(client: string, asked: Pick<Session, 'expiryMs' | 'receiveMaximum' | 'will'>, clean: boolean, nowMs: number) {
    const before = this.#sessions.get(client);
    const present = before !== undefined && !clean && before.expiryMs > 0;
    const will = before?.will ?? null;
    const leftAtMs = before?.connected ? nowMs : (before?.leftAtMs ?? 0);
    const isCancelled = will !== null && present && nowMs < leftAtMs + will.delayMs;
    if (before?.connected) this.#leave(before, nowMs);
    const session: Session = present
      ? { ...(before as Session), ...asked, connected: true }
      : {
          ...asked,
          connected: true,
          leftAtMs: 0,
          subscriptions: new Map(),
          inFlight: [],
          owed: [],
          due: [],
          waiting: [],
        };
    this.#sessions.set(client, session);
    this.#say(client, `connack${present ? ' present' : ''}`);
    this.#drain(client, session);
    if (will !== null && !isCancelled) this.#publish(client, will.message);
  }

  disconnect(client: string, nowMs: number): void {
    const session = this.#sessions.get(client)!;
    session.will = null;
    this.#lose(client, session, nowMs);
  }

  lose(client: string, nowMs: number): void {
    this.#lose(client, this.#sessions.get(client)!, nowMs);
  }

  subscribe(client: string, filter: string, options: Options): void {
    const session = this.#sessions.get(client)!;
    const isNew = !session.subscriptions.has(filter);
    session.subscriptions.set(filter, options);
    this.#say(client, `suback ${options.qos}`);
    if (options.retainHandling === 0 || (options.retainHandling === 1 && isNew)) {
      session.due.push({ filter, options, since: this.#published, after: '' });
    }
    this.#drain(client, session);
  }

  unsubscribe(client: string, filter: string): void {
    const session = this.#sessions.get(client)!;
    session.subscriptions.delete(filter);
    session.due = session.due.filter((due) => due.filter !== filter);
    this.#say(client, 'unsuback');
    this.#drain(client, session);
  }

  publish(client: string, message: Message): void {
    this.#publish(client, message);
  }

  /** The client answers the oldest that is unanswered: with QoS 2 first PUBREC, then PUBCOMP. */
  acknowledge(client: string): void {
    const session = this.#sessions.get(client)!;
    const oldest = session.inFlight.shift();
    if (oldest === undefined) return;
    if (oldest.qos === 2 && !oldest.released) {
      oldest.released = true;
      session.inFlight.push(oldest);
      this.#say(client, 'pubrel');
    }
    this.#drain(client, session);
  }

  /** Wills and ends that are due. */
  pass(nowMs: number): void {
    for (const [client, session] of [...this.#sessions]) {
      if (session.connected) continue;
      const endMs = session.leftAtMs + session.expiryMs;
      if (session.will !== null && nowMs >= Math.min(endMs, session.leftAtMs + session.will.delayMs)) {
        const { message } = session.will;
        session.will = null;
        this.#publish(client, message);
      }
      if (nowMs >= endMs) this.#sessions.delete(client);
    }
  }

  #lose(_client: string, session: Session, nowMs: number): void {
    this.#leave(session, nowMs);
    this.pass(nowMs);
  }

  #leave(session: Session, nowMs: number): void {
    session.connected = false;
    session.leftAtMs = nowMs;
    const inOrder = session.inFlight.sort((a, b) => a.order! - b.order!);
    const again = inOrder.map((delivery) => ({ delivery, dup: true }));
    const waiting = session.waiting.map((delivery) => ({ delivery, dup: false }));
    session.owed = [...again, ...session.owed, ...waiting];
    session.inFlight = [];
    session.waiting = [];
  }

  #publish(publisher: string, message: Message): void {
    this.#published += 1;
    const { topic, payload } = message;
    if (message.retain && payload === '') this.#retained.delete(topic);
    else if (message.retain) this.#retained.set(topic, { message, number: this.#published });
    for (const [client, session] of this.#sessions) {
      const matching = [...session.subscriptions].filter(
        ([filter, { noLocal }]) => filterMatches(filter, topic) && !(noLocal && client === publisher),
      );
      if (matching.length === 0) continue;
      const options = matching.map(([, each]) => each);
      const qos = Math.min(message.qos, Math.max(...options.map((each) => each.qos))) as 0 | 1 | 2;
      const retain = message.retain && options.some((each) => each.retainAsPublished);
      const identifiers = options.flatMap(({ identifier }) => identifier ?? []);
      const delivery = { topic, payload, qos, retain, identifiers };
      if (qos === 0) {
        if (session.connected) this.#say(client, line(delivery, false));
      } else if (session.connected) {
        session.waiting.push(delivery);
        this.#drain(client, session);
      } else {
        session.owed.push({ delivery, dup: false });
      }
    }
  }

  #drain(client: string, session: Session): void {
    const room = () => session.receiveMaximum - session.inFlight.length;
    while (session.connected && room() > 0) {
      const owed = session.owed.shift();
      const due = session.due[0];
      if (owed !== undefined) {
        this.#send(session, owed.delivery);
        this.#say(client, owed.delivery.released ? 'pubrel' : line(owed.delivery, owed.dup));
      } else if (due !== undefined) {
        this.#sendRetained(client, session, due);
      } else {
        const next = session.waiting.shift();
        if (next === undefined) return;
        this.#send(session, next);
        this.#say(client, line(next, false));
      }
    }
  }

  /** The next one of those that a SUBSCRIBE is to get. */
  #sendRetained(client: string, session: Session, due: Due): void {
    const topic = [...this.#retained.keys()].sort().find((each) => each > due.after && filterMatches(due.filter, each));
    if (topic === undefined) return void session.due.shift();
    due.after = topic;
    const { message, number } = this.#retained.get(topic)!;
    if (number > due.since) return;
    const qos = Math.min(message.qos, due.options.qos) as 0 | 1 | 2;
    const { identifier } = due.options;
    const delivery = { ...message, qos, retain: true, identifiers: identifier === undefined ? [] : [identifier] };
    if (qos > 0) this.#send(session, delivery);
    this.#say(client, line(delivery, false));
  }

  #send(session: Session, delivery: Delivery): void {
    this.#sent += 1;
    delivery.order ??= this.#sent;
    session.inFlight.push(delivery);
  }

  #say(client: string, said: Line): void {
    const lines = this.sent.get(client) ?? [];
    lines.push(said);
    this.sent.set(client, lines);
  }
}

export function line({ topic, payload, qos, retain, identifiers }: Delivery, dup: boolean): Line {
  const ids = [...identifiers].sort((a, b) => a - b);
  return ['publish', topic, payload, `qos${qos}`, retain && 'retain', dup && 'dup', ...ids].filter(Boolean).join(' ');
}
