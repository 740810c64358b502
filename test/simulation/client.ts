import { generate, type Packet, type Parser, parser } from 'mqtt-packet';
import { parseShared } from '../../functions/topics/names.js';
import { FROM_PROPERTY } from '../../functions/topics/replay-from.js';
import type { Chance } from './chance.js';
import type { Facts, Published, Session, Subscribed, Will } from './facts.js';
import type { Link } from './link.js';
import type { Timeline } from './timeline.js';

export interface ClientParts {
  timeline: Timeline;
  chance: Chance;
  facts: Facts;
  /** null where nobody listens. */
  dial: (end: { received(bytes: Uint8Array): void; closed(): void }) => Link | null;
  note: (line: string) => void;
  /** A rule is broken. */
  fail: (text: string) => void;
  /** How late this client answers, milliseconds; null: not while this connection lasts. */
  answerMs: () => number | null;
  /** How long after it was given up a CONNECT may be dealt with, milliseconds. */
  lateMs: number;
  /** A DISCONNECT has reached the process: tells once that it had time to be dealt with. */
  whenDealtWith: (run: () => void) => void;
}

export interface ConnectOptions {
  clean: boolean;
  /** Seconds. MQTT 3.1.1 knows but 0 and for ever. */
  expiryS: number;
  receiveMaximum: number;
  topicAliasMaximum: number;
  keepAliveS: number;
  /** Sends no PINGREQ, and so is thrown out. */
  isSilent: boolean;
  will: (Pick<Will, 'delayS'> & Pick<Published, 'topic' | 'qos' | 'retain'>) | null;
}

interface Outgoing {
  published: Published;
  phase: 'publish' | 'pubrel';
}

type Request = { subscribed: Subscribed[] } | { ended: Subscribed[] };

interface Connection {
  link: Link;
  parser: Parser;
  options: ConnectOptions;
  isReady: boolean;
  receiveMaximum: number;
  requests: Map<number, Request>;
  aliases: Map<number, string>;
  /** Packet identifiers of the server's that are in use, and what they stand for. */
  taken: Map<number, string>;
  lastAnswerMs: number;
  /** When this end broke it; null: it did not. */
  brokenAtMs: number | null;
  will: Will | null;
  /** That of the connection before. */
  follows: Will | null;
  isOver: boolean;
}

/** How late bytes and a close may arrive, milliseconds. */
export const LINK_LAG_MS = 1_000;
const EVER_S = 0xffff_ffff;
const LEFT_OUT = { published: null };

/** A correct MQTT client that is told what to do, and writes down what happens. */
export class VirtualClient {
  session: Session | null = null;
  connection: Connection | null = null;
  /** Publications whose handshake is not over, by packet identifier, in order of sending. */
  readonly outgoing = new Map<number, Outgoing>();
  /** Packet identifiers of incoming QoS 2. */
  readonly #incoming = new Set<number>();
  #nextPacketId = 1;
  #numbers = 0;
  #connects = 0;
  /** Seconds that the server keeps the session, at least and at most; null: there is none. */
  #kept: { leastS: number; mostS: number } | null = null;
  #goneAtMs = 0;
  /** A CONNECT with clean start whose CONNACK never came: nobody knows what is there. */
  #mustBeClean = false;
  /** A CONNECT whose CONNACK never came may have begun a session. */
  #mayBegin = false;
  /** When the last such was given up. */
  #unansweredAtMs = 0;
  /** The same of one with clean start. */
  #cleanGivenUpAtMs = Number.NEGATIVE_INFINITY;
  #lastWill: Will | null = null;

  constructor(
    readonly id: string,
    readonly level: 4 | 5,
    /** Packet identifiers that it uses: the fewer, the sooner one comes again. */
    private readonly packetIdMax: number,
    private readonly parts: ClientParts,
  ) {}

  get isReady(): boolean {
    return this.connection?.isReady === true;
  }

  /** Whether everything that it asked for is answered. */
  get isIdle(): boolean {
    return this.outgoing.size === 0 && (this.connection?.requests.size ?? 0) === 0;
  }

  get mustBeClean(): boolean {
    return this.#mustBeClean;
  }

  connect(asked: ConnectOptions): void {
    const { timeline, facts, lateMs } = this.parts;
    // It may still arrive, and begin anew what this one resumes.
    if (timeline.nowMs < this.#cleanGivenUpAtMs + lateMs) return;
    const options = { ...asked, clean: asked.clean || this.#mustBeClean };
    const connection: Connection = {
      link: LEFT_OUT as unknown as Link,
      parser: parser({ protocolVersion: this.level }),
      options,
      isReady: false,
      receiveMaximum: 65_535,
      requests: new Map(),
      aliases: new Map(),
      taken: new Map(),
      lastAnswerMs: 0,
      brokenAtMs: null,
      will: null,
      follows: null,
      isOver: false,
    };
    connection.parser.on('packet', (packet) => this.#take(connection, packet));
    connection.parser.on('error', (error) => this.parts.fail(`${this.id} cannot read: ${String(error)}`));
    const link = this.parts.dial({
      received: (bytes) => void (connection.isOver || connection.parser.parse(Buffer.from(bytes))),
      closed: () => this.#lose(connection),
    });
    if (link === null) return;
    connection.link = link;
    link.whenServerKnows = () => {
      if (connection.will) connection.will.serverLostAtMs ??= timeline.nowMs;
    };
    this.connection = connection;
    this.#connects += 1;
    if (options.clean) this.#forgetSession();
    this.#mustBeClean = options.clean;
    if (this.#lastWill?.nextConnectAtMs === null) {
      this.#lastWill.nextConnectAtMs = timeline.nowMs;
      connection.follows = this.#lastWill;
    }
    if (options.will !== null) {
      const { topic, qos, retain } = options.will;
      const delayS = this.level === 5 ? options.will.delayS : 0;
      const published = this.#publication(`w${this.#connects}`, topic, qos, retain, false);
      connection.will = {
        published,
        delayS,
        connected: false,
        lostAtMs: null,
        brokenAtMs: null,
        serverLostAtMs: null,
        disconnect: 'none',
        nextConnectAtMs: null,
        nextConnackAtMs: null,
        nextPresent: null,
      };
      facts.wills.push(connection.will);
    }
    this.#send(connection, this.#connectPacket(options, connection.will));
  }

  publish(topic: string, qos: 0 | 1 | 2, retain: boolean, options: { empty?: boolean; expiryS?: number } = {}): void {
    const { connection } = this;
    const outgoingMax = Math.min(connection?.receiveMaximum ?? 0, this.packetIdMax / 2);
    if (!connection?.isReady || (qos > 0 && this.outgoing.size >= outgoingMax)) return;
    const published = this.#publication('', topic, qos, retain, options.expiryS !== undefined);
    if (options.empty) published.id = '';
    else this.parts.facts.published.set(published.id, published);
    const properties = options.expiryS !== undefined && this.level === 5 && { messageExpiryInterval: options.expiryS };
    const packetId = qos > 0 ? this.#takePacketId() : undefined;
    if (packetId !== undefined) this.outgoing.set(packetId, { published, phase: 'publish' });
    this.#send(connection, publishPacket(published, packetId, false, properties || undefined));
  }

  /** `identifier`, `history`: at level 5. */
  subscribe(
    filters: readonly { filter: string; qos: 0 | 1 | 2; retainHandling: number }[],
    { identifier, history = false }: { identifier?: number; history?: boolean } = {},
  ): void {
    const { connection, session } = this;
    if (!connection?.isReady || session === null || connection.requests.size >= this.packetIdMax / 2) return;
    const { steps } = this.parts.timeline;
    const messageId = this.#takePacketId();
    const subscribed = filters.map(({ filter, qos }) => {
      const matches = parseShared(filter)?.filter ?? filter;
      return {
        filter,
        matches,
        history,
        qos,
        sentStep: steps,
        answeredStep: null,
        endAskedStep: null,
        endedStep: null,
      };
    });
    session.subscribed.push(...subscribed);
    connection.requests.set(messageId, { subscribed });
    const subscriptions = filters.map(({ filter, qos, retainHandling }) => {
      return { topic: filter, qos, ...(this.level === 5 && { nl: false, rap: false, rh: retainHandling }) };
    });
    const properties = {
      ...(identifier !== undefined && { subscriptionIdentifier: identifier }),
      ...(history && { userProperties: { [FROM_PROPERTY]: 'earliest' } }),
    };
    this.#send(connection, { cmd: 'subscribe', messageId, subscriptions, properties } as Packet);
  }

  unsubscribe(filter: string): void {
    const { connection, session } = this;
    if (!connection?.isReady || session === null || connection.requests.size >= this.packetIdMax / 2) return;
    const messageId = this.#takePacketId();
    const ended = session.subscribed.filter((each) => each.filter === filter && each.endedStep === null);
    for (const each of ended) each.endAskedStep ??= this.parts.timeline.steps;
    connection.requests.set(messageId, { ended });
    this.#send(connection, { cmd: 'unsubscribe', messageId, unsubscriptions: [filter] } as Packet);
  }

  ping(): void {
    if (this.connection?.isReady) this.#send(this.connection, { cmd: 'pingreq' });
  }

  /** A clean end. `expiryS`: changes how long the session is kept. `withWill`: MQTT 5's "disconnect with will". */
  disconnect(options: { expiryS?: number; withWill?: boolean } = {}): void {
    const { connection } = this;
    if (!connection?.isReady) return;
    const expiryS = options.expiryS !== undefined && connection.options.expiryS > 0 ? options.expiryS : undefined;
    const { will } = connection;
    const clears = !(options.withWill && this.level === 5);
    if (will !== null && clears) will.disconnect = 'sent';
    const arrived = () => {
      const { closedAtStep } = connection.link;
      const isTooLate = closedAtStep !== null && closedAtStep < this.parts.timeline.steps;
      // A CONNECT may have overtaken it, on a connection of its own.
      if (will === null || !clears || isTooLate || will.nextConnectAtMs !== null) return;
      will.disconnect = 'arrived';
      this.parts.whenDealtWith(() => {
        will.disconnect = 'done';
      });
    };
    const properties = expiryS !== undefined && this.level === 5 && { sessionExpiryInterval: expiryS };
    const reasonCode = clears ? 0 : 4;
    this.#send(
      connection,
      { cmd: 'disconnect', ...(this.level === 5 && { reasonCode, ...(properties && { properties }) }) } as Packet,
      arrived,
    );
    if (properties && this.#kept !== null) {
      // Whether it arrives is not known.
      this.#kept = { leastS: Math.min(this.#kept.leastS, expiryS!), mostS: Math.max(this.#kept.mostS, expiryS!) };
    }
    connection.link.closeByClient();
    this.#lose(connection);
  }

  /** The connection breaks. */
  drop(): void {
    const { connection } = this;
    if (connection === null) return;
    connection.brokenAtMs ??= this.parts.timeline.nowMs;
    connection.link.break();
  }

  /** Gives the connection up without a word to anybody: the server may take long to notice. */
  abandon(): void {
    const { connection } = this;
    if (connection === null) return;
    this.drop();
    this.#lose(connection);
  }

  #connectPacket(options: ConnectOptions, will: Will | null): Packet {
    const { clean, expiryS, receiveMaximum, topicAliasMaximum, keepAliveS } = options;
    return {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: this.level,
      clientId: this.id,
      clean,
      keepalive: keepAliveS,
      ...(will && {
        will: {
          topic: will.published.topic,
          payload: Buffer.from(will.published.id),
          qos: will.published.qos,
          retain: will.published.retain,
          ...(this.level === 5 && { properties: { willDelayInterval: will.delayS } }),
        },
      }),
      ...(this.level === 5 && {
        properties: { sessionExpiryInterval: expiryS, receiveMaximum, topicAliasMaximum },
      }),
    } as Packet;
  }

  #take(connection: Connection, packet: Packet): void {
    if (connection.isOver) return;
    if (packet.cmd !== 'pingresp') this.parts.note(`${this.id} < ${line(packet)}`);
    switch (packet.cmd) {
      case 'connack':
        return this.#onConnack(connection, packet);
      case 'publish':
        return this.#onPublish(connection, packet);
      case 'pubrel':
        this.#incoming.delete(packet.messageId ?? 0);
        return this.#answer(connection, 'pubcomp', packet.messageId ?? 0);
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        return this.#onAnswer(connection, packet.cmd, packet.messageId ?? 0, packet.reasonCode ?? 0);
      case 'suback':
      case 'unsuback':
        return this.#onRequestAnswered(connection, packet.messageId ?? 0, packet.granted as number[] | undefined);
      case 'disconnect':
        connection.link.closeByClient();
        return this.#lose(connection);
      default:
    }
  }

  #onConnack(connection: Connection, packet: Extract<Packet, { cmd: 'connack' }>): void {
    const { timeline, fail } = this.parts;
    const { options } = connection;
    const code = this.level === 5 ? packet.reasonCode : packet.returnCode;
    if (code !== 0) return;
    const { sessionPresent } = packet;
    if (sessionPresent && this.#mayBegin && this.session !== null && !this.#surelyLives) {
      // It may be another session than the one that the client knows, begun by a CONNECT that was never answered.
      this.#mustBeClean = true;
      return this.abandon();
    }
    this.#checkPresent(options, sessionPresent);
    this.#mustBeClean = false;
    connection.isReady = true;
    connection.receiveMaximum = packet.properties?.receiveMaximum ?? 65_535;
    const expiryS = this.level === 5 ? options.expiryS : options.clean ? 0 : EVER_S;
    this.#kept = { leastS: expiryS, mostS: expiryS };
    if (connection.will) connection.will.connected = true;
    if (connection.follows !== null) {
      connection.follows.nextConnackAtMs = timeline.nowMs;
      connection.follows.nextPresent = sessionPresent;
    }
    this.#lastWill = connection.will;
    if (!sessionPresent) {
      this.#forgetSession();
      this.#beginSession();
    } else if (this.session === null) {
      if (!this.#mayBegin) fail(`${this.id}: session present, and the client knows of none`);
      this.#beginSession();
    }
    this.#mayBegin = false;
    for (const [packetId, { published, phase }] of this.outgoing) {
      if (phase === 'pubrel') this.#send(connection, { cmd: 'pubrel', messageId: packetId });
      else this.#send(connection, publishPacket(published, packetId, true, undefined));
    }
    if (options.keepAliveS > 0 && !options.isSilent) this.#keepAlive(connection);
  }

  #checkPresent(options: ConnectOptions, sessionPresent: boolean): void {
    const { fail, lateMs, timeline } = this.parts;
    if (options.clean && sessionPresent) fail(`${this.id}: session present after a clean start [MQTT-3.2.2-2]`);
    if (!options.clean && this.session !== null && this.#surelyLives && !sessionPresent) {
      // One that another process deals with only now may have ended it.
      if (timeline.nowMs < this.#unansweredAtMs + lateMs) return;
      fail(`${this.id}: the session is lost`);
    }
  }

  #onPublish(connection: Connection, packet: Extract<Packet, { cmd: 'publish' }>): void {
    const { timeline, fail } = this.parts;
    const { session } = this;
    const alias = packet.properties?.topicAlias;
    if (alias !== undefined && packet.topic !== '') connection.aliases.set(alias, packet.topic);
    const topic = alias === undefined ? packet.topic : (connection.aliases.get(alias) ?? '');
    const id = packet.payload.toString();
    const { qos, retain, dup, messageId: packetId = 0 } = packet;
    if (session === null) return fail(`${this.id}: a publication before the CONNACK`);
    const identifiers = [packet.properties?.subscriptionIdentifier ?? []].flat();
    const received = { step: timeline.steps, id, topic, qos, retain, dup, identifiers };
    if (qos === 0) return void session.received.push(received);
    const there = connection.taken.get(packetId);
    if (there !== undefined) {
      fail(`${this.id}: packet identifier ${packetId} is in use for ${there} [MQTT-2.2.1-4]`);
    }
    connection.taken.set(packetId, id);
    if (connection.taken.size > connection.options.receiveMaximum && this.level === 5) {
      fail(`${this.id}: more than its Receive Maximum of ${connection.options.receiveMaximum} [MQTT-3.3.4-9]`);
    }
    const isKnown = qos === 2 && this.#incoming.has(packetId);
    if (qos === 2) this.#incoming.add(packetId);
    if (!isKnown) session.received.push(received);
    this.#answer(connection, qos === 1 ? 'puback' : 'pubrec', packetId);
  }

  /** In the order of what is answered [MQTT-4.6.0-2]. */
  #answer(connection: Connection, cmd: 'puback' | 'pubrec' | 'pubcomp', packetId: number): void {
    const { timeline, answerMs } = this.parts;
    const ms = answerMs();
    if (ms === null || connection.lastAnswerMs === Number.POSITIVE_INFINITY) {
      connection.lastAnswerMs = Number.POSITIVE_INFINITY;
      return;
    }
    connection.lastAnswerMs = Math.max(connection.lastAnswerMs, timeline.exactMs + ms);
    timeline.at(connection.lastAnswerMs, () => {
      if (connection.isOver) return;
      if (cmd !== 'pubrec') connection.taken.delete(packetId);
      this.#send(connection, { cmd, messageId: packetId, ...(this.level === 5 && { reasonCode: 0 }) });
    });
  }

  #onAnswer(connection: Connection, cmd: 'puback' | 'pubrec' | 'pubcomp', packetId: number, reasonCode: number): void {
    const { timeline, fail } = this.parts;
    const there = this.outgoing.get(packetId);
    const isExpected =
      there !== undefined &&
      (cmd === 'pubcomp' ? there.phase === 'pubrel' : there.published.qos === (cmd === 'puback' ? 1 : 2));
    if (!isExpected) return fail(`${this.id}: an unexpected ${cmd} ${packetId}`);
    if (cmd !== 'pubcomp' && reasonCode < 0x80) there.published.answeredStep ??= timeline.steps;
    if (cmd === 'pubrec' && reasonCode < 0x80) {
      there.phase = 'pubrel';
      this.#send(connection, { cmd: 'pubrel', messageId: packetId });
    } else {
      this.outgoing.delete(packetId);
    }
  }

  #onRequestAnswered(connection: Connection, packetId: number, granted: readonly number[] | undefined): void {
    const { timeline, fail } = this.parts;
    const request = connection.requests.get(packetId);
    if (request === undefined) return fail(`${this.id}: an answer to no request ${packetId}`);
    connection.requests.delete(packetId);
    const before = this.parts.facts.sessions.filter(({ client, overStep }) => client === this.id && overStep !== null);
    for (const session of before) session.shardKnewStep ??= timeline.steps;
    if ('ended' in request) {
      for (const each of request.ended) each.endedStep ??= timeline.steps;
    } else {
      for (const [i, each] of request.subscribed.entries()) {
        if (granted?.[i] !== each.qos) fail(`${this.id}: SUBACK ${granted?.[i]} for QoS ${each.qos}`);
        each.answeredStep = timeline.steps;
      }
    }
  }

  #lose(connection: Connection): void {
    if (connection.isOver) return;
    connection.isOver = true;
    if (this.connection === connection) this.connection = null;
    const { nowMs } = this.parts.timeline;
    if (connection.will) {
      connection.will.lostAtMs = nowMs;
      connection.will.brokenAtMs = connection.brokenAtMs;
    }
    this.parts.note(`${this.id} is cut off`);
    if (connection.isReady) {
      // The server may have closed it a while ago.
      this.#goneAtMs = Math.min(connection.brokenAtMs ?? nowMs, nowMs - LINK_LAG_MS);
      if (this.#kept?.mostS === 0) this.#forgetSession();
    } else {
      this.#loseUnanswered(connection.options);
    }
  }

  /** The CONNECT may have been taken all the same. Where it may have begun a session, what the client knows may be another's. */
  #loseUnanswered({ expiryS, clean }: ConnectOptions): void {
    this.#mayBegin = true;
    this.#unansweredAtMs = this.parts.timeline.nowMs;
    if (clean) this.#cleanGivenUpAtMs = this.#unansweredAtMs;
    if (this.session === null) return;
    if (!this.#surelyLives) this.#mustBeClean = true;
    const maybeS = this.level === 5 ? expiryS : clean ? 0 : EVER_S;
    if (this.#kept !== null) {
      this.#kept = { leastS: Math.min(this.#kept.leastS, maybeS), mostS: Math.max(this.#kept.mostS, maybeS) };
    }
  }

  get #surelyLives(): boolean {
    return this.#kept !== null && this.parts.timeline.nowMs < this.#goneAtMs + this.#kept.leastS * 1000;
  }

  #beginSession(): void {
    this.session = { client: this.id, subscribed: [], received: [], overStep: null, shardKnewStep: null };
    this.parts.facts.sessions.push(this.session);
  }

  #forgetSession(): void {
    if (this.session !== null) this.session.overStep = this.parts.timeline.steps;
    this.session = null;
    this.#kept = null;
    this.outgoing.clear();
    this.#incoming.clear();
  }

  #keepAlive(connection: Connection): void {
    this.parts.timeline.after(connection.options.keepAliveS * 500, () => {
      if (connection.isOver) return;
      this.#send(connection, { cmd: 'pingreq' });
      this.#keepAlive(connection);
    });
  }

  #publication(kind: string, topic: string, qos: 0 | 1 | 2, retain: boolean, expires: boolean): Published {
    this.#numbers += 1;
    const id = `${this.id}.${kind}${this.#numbers}`;
    const { steps } = this.parts.timeline;
    const client = kind === '' ? this.id : `${this.id}'s will`;
    return { id, client, number: this.#numbers, topic, qos, retain, expires, sentStep: steps, answeredStep: null };
  }

  #takePacketId(): number {
    const isTaken = (packetId: number) => this.outgoing.has(packetId) || this.connection?.requests.has(packetId);
    while (isTaken(this.#nextPacketId)) this.#nextPacketId = (this.#nextPacketId % this.packetIdMax) + 1;
    const packetId = this.#nextPacketId;
    this.#nextPacketId = (packetId % this.packetIdMax) + 1;
    return packetId;
  }

  #send(connection: Connection, packet: Packet, arrived: (() => void) | null = null): void {
    if (packet.cmd !== 'pingreq') this.parts.note(`${this.id} > ${line(packet)}`);
    connection.link.toServer.send(generate(packet, { protocolVersion: this.level }), arrived);
  }
}

function publishPacket(
  { id, topic, qos, retain }: Published,
  messageId: number | undefined,
  dup: boolean,
  properties: object | undefined,
): Packet {
  const packet = { cmd: 'publish', topic, payload: Buffer.from(id), qos, retain, dup, messageId };
  return { ...packet, ...(properties && { properties }) } as Packet;
}

function line(packet: Packet): string {
  const parts: unknown[] = [packet.cmd, packet.messageId ?? ''];
  if (packet.cmd === 'publish') {
    const { topic, qos, retain, dup, payload } = packet;
    parts.push(topic, `qos${qos}`, retain ? 'retain' : '', dup ? 'dup' : '', payload.toString());
  } else if (packet.cmd === 'connack') {
    parts.push(packet.sessionPresent ? 'present' : '', packet.reasonCode ?? packet.returnCode);
  } else if (packet.cmd === 'connect') {
    const { clean, keepalive, will, properties } = packet;
    parts.push(clean ? 'clean' : '', `keep-alive=${keepalive}`, `expiry=${properties?.sessionExpiryInterval ?? '-'}`);
    if (will) parts.push(`will=${will.payload} delay=${will.properties?.willDelayInterval ?? 0}`);
  } else if (packet.cmd === 'subscribe') {
    parts.push(...packet.subscriptions.map(({ topic, qos }) => `${topic} qos${qos}`));
  } else if (packet.cmd === 'unsubscribe') {
    parts.push(...packet.unsubscriptions);
  } else if ('reasonCode' in packet && packet.reasonCode) {
    parts.push(packet.reasonCode);
  }
  return parts.filter((part) => part !== '').join(' ');
}
