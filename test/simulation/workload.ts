import type { Chance } from './chance.js';
import type { ConnectOptions, VirtualClient } from './client.js';
import type { Manner } from './manner.js';
import type { Timeline } from './timeline.js';

const TOPICS = ['a', 'a/b', 'a/c', 'b', 'b/c/d', '$x/y'];
const FILTERS = [...TOPICS, 'a/+', 'a/#', '#', '+', '+/+', 'b/#', '+/c/#', '$x/#'];
/** Its identifier is its alone: what it brings, with QoS above 0, can be told apart. */
export const SHARE = { filter: '$share/g/a/#', identifier: 1 };
/** With QoS 0 too. */
const LOOSE_SHARE = '$share/h/+';
/** With history. */
const HISTORIES = ['a/#', 'b'];
/** What a crowd does: its share gets all, and whoever is in it leaves soon. */
const CROWD_TOPICS = ['a', 'a/b'];
const CROWD_QOS = [1, 2, 2] as const;
const EVER_S = 0xffff_ffff;
const QOS = [0, 1, 2] as const;

interface Actor {
  client: VirtualClient;
  /** Seconds that its sessions live, one of these at each CONNECT. */
  expiriesS: readonly number[];
  cleanPercent: number;
}

export interface WorkloadParts {
  chance: Chance;
  timeline: Timeline;
  manner: Manner;
  client: (id: string, level: 4 | 5) => VirtualClient;
  count: (name: string) => void;
}

/** What the clients do, and when. */
export class Workload {
  readonly #parts: WorkloadParts;
  readonly #actors: Actor[] = [];
  #mode: 'still' | 'storm' | 'calm' | 'end' = 'still';
  #probes = 0;

  constructor(parts: WorkloadParts) {
    this.#parts = parts;
    for (let i = 0; i < parts.manner.clients; i += 1) this.#actors.push(this.#actor(i));
  }

  get clients(): VirtualClient[] {
    return this.#actors.map(({ client }) => client);
  }

  begin(): void {
    const isFirst = this.#mode === 'still';
    this.#mode = 'storm';
    if (!isFirst) return;
    for (const actor of this.#actors) this.#live(actor);
  }

  /** Nobody begins anything new; everybody comes back for what is owed. */
  settle(): void {
    this.#mode = 'calm';
    for (const { client } of this.#actors) if (this.#parts.chance.percent(50)) client.drop();
    // Whoever withholds answers on a connection gets them out of its next one.
    for (const { client } of this.#actors) client.abandon();
  }

  /** A stranger that asks for everything retained. */
  probe(): VirtualClient {
    this.#probes += 1;
    const probe = this.#parts.client(`probe${this.#probes}`, 5);
    probe.connect({ ...this.#connectOptions([0], 0), clean: true, will: null, isSilent: false });
    this.#parts.timeline.after(5_000, () => {
      probe.subscribe(['#', '$x/#'].map((filter) => ({ filter, qos: 1, retainHandling: 0 })));
    });
    return probe;
  }

  endSessions(): void {
    this.#mode = 'end';
    for (const { client } of this.#actors) {
      const { chance } = this.#parts;
      const ends = chance.one(['now', 'soon', 'clean'] as const);
      if (ends === 'now' && client.level === 5) client.disconnect({ expiryS: 0 });
      else if (ends === 'soon' && client.level === 5) client.disconnect({ expiryS: 5 });
      else this.#endCleanly(client);
    }
  }

  #endCleanly(client: VirtualClient): void {
    client.disconnect();
    const options = { ...this.#connectOptions([0], 100), clean: true, will: null, isSilent: false };
    this.#parts.timeline.after(1_000, () => client.connect(options));
    this.#parts.timeline.after(5_000, () => client.disconnect());
  }

  #actor(i: number): Actor {
    const { chance, manner } = this.#parts;
    const isOdd = manner.isCrowd || chance.percent(manner.oddPercent);
    const level = isOdd ? 5 : chance.one([4, 5] as const);
    const kind = chance.weighed({ persistent: isOdd ? 10 : 5, brief: 2, volatile: 2 });
    const expiriesS = { persistent: [EVER_S, 3_600], brief: [0, 2, 10, EVER_S], volatile: [0] }[kind];
    const cleanPercent = { persistent: chance.one([0, 5, 30]), brief: 20, volatile: 100 }[kind];
    return { client: this.#parts.client(`c${i}`, level), expiriesS, cleanPercent };
  }

  #live(actor: Actor): void {
    const { chance, timeline, manner } = this.#parts;
    const { client } = actor;
    const idleMs = client.connection === null ? 50 + manner.thinkMs : manner.thinkMs;
    timeline.after(this.#mode === 'storm' ? chance.between(0, 2 * idleMs) : 200, () => {
      if (this.#mode === 'storm') this.#act(actor);
      else if (this.#mode === 'calm' && client.connection === null) this.#comeBack(actor);
      this.#live(actor);
    });
  }

  get #hasNoShares(): boolean {
    return (this.#parts.manner.fleet?.shards ?? 1) > 1;
  }

  #comeBack({ client, expiriesS }: Actor): void {
    const longest = Math.max(...expiriesS);
    client.connect({ ...this.#connectOptions([longest], 0), clean: longest === 0, will: null, isSilent: false });
  }

  #act(actor: Actor): void {
    const { chance, manner } = this.#parts;
    const { client } = actor;
    if (client.connection === null) {
      if (chance.percent(chance.one([20, 80])))
        client.connect(this.#connectOptions(actor.expiriesS, actor.cleanPercent));
      return;
    }
    if (chance.percent(manner.breakPercent)) {
      if (chance.percent(50)) client.drop();
      else client.abandon();
      return;
    }
    if (manner.isCrowd) return this.#crowd(actor);
    const isDeaf = client.isReady && client.session?.subscribed.length === 0;
    if (isDeaf && chance.percent(30)) {
      if (client.level === 5 && chance.percent(manner.oddPercent)) return this.#subscribeOddly(actor);
      return client.subscribe([{ filter: '#', qos: chance.one(QOS), retainHandling: 0 }]);
    }
    const action = chance.weighed({ publish: 60, burst: 8, retain: 8, subscribe: 12, unsubscribe: 6, disconnect: 2 });
    switch (action) {
      case 'publish':
        return this.#publish(client);
      case 'burst': {
        const topic = chance.one(TOPICS);
        const qos = chance.one(QOS);
        for (let i = 0; i < 10; i += 1) client.publish(topic, qos, false);
        return;
      }
      case 'retain':
        return client.publish(chance.one(TOPICS), chance.one(QOS), true, { empty: chance.percent(30) });
      case 'subscribe': {
        if (client.level === 5 && chance.percent(manner.oddPercent)) return this.#subscribeOddly(actor);
        const filters = new Set([chance.one(FILTERS), chance.one(FILTERS)].slice(chance.below(2)));
        const retainHandling = client.level === 5 ? chance.below(3) : 0;
        return client.subscribe([...filters].map((filter) => ({ filter, qos: chance.one(QOS), retainHandling })));
      }
      case 'unsubscribe': {
        const filters = client.session?.subscribed.map(({ filter }) => filter) ?? [];
        return client.unsubscribe(filters.length > 0 && chance.percent(90) ? chance.one(filters) : chance.one(FILTERS));
      }
      case 'disconnect': {
        const expiryS = chance.percent(20) ? chance.one([0, 2, 10]) : undefined;
        return client.disconnect({ withWill: chance.percent(20), ...(expiryS !== undefined && { expiryS }) });
      }
    }
  }

  #crowd({ client }: Actor): void {
    const { chance } = this.#parts;
    const isMember = client.session?.subscribed.some(({ endAskedStep }) => endAskedStep === null) ?? false;
    const share = [{ filter: SHARE.filter, qos: chance.one(CROWD_QOS), retainHandling: 2 }];
    if (!isMember && chance.percent(30)) return client.subscribe(share, { identifier: SHARE.identifier });
    const action = chance.weighed({ publish: 80, unsubscribe: 3, disconnect: 5, end: 3 });
    if (action === 'publish') client.publish(chance.one(CROWD_TOPICS), chance.one(CROWD_QOS), false);
    else if (action === 'unsubscribe') client.unsubscribe(SHARE.filter);
    else client.disconnect(action === 'end' ? { expiryS: 0 } : {});
  }

  #subscribeOddly({ client }: Actor): void {
    const { chance } = this.#parts;
    const kind = chance.weighed({ share: 8, loose: 2, history: 3 });
    const qos = kind === 'loose' ? chance.one(QOS) : chance.one([1, 2] as const);
    const one = (filter: string) => [{ filter, qos, retainHandling: 2 }];
    if (kind !== 'history' && this.#hasNoShares) return;
    if (kind === 'share') return client.subscribe(one(SHARE.filter), { identifier: SHARE.identifier });
    if (kind === 'loose') return client.subscribe(one(LOOSE_SHARE));
    client.subscribe(one(chance.one(HISTORIES)), { history: true });
  }

  #publish(client: VirtualClient): void {
    const { chance } = this.#parts;
    const options = chance.percent(5) ? { expiryS: 1 + chance.below(10) } : {};
    client.publish(chance.one(TOPICS), chance.one(QOS), false, options);
  }

  #connectOptions(expiriesS: readonly number[], cleanPercent: number): ConnectOptions {
    const { chance } = this.#parts;
    const will = chance.percent(40) && {
      topic: chance.one(TOPICS),
      qos: chance.one(QOS),
      retain: chance.percent(20),
      delayS: chance.one([0, 0, 2, 8]),
    };
    return {
      clean: chance.percent(cleanPercent),
      expiryS: chance.one(expiriesS),
      receiveMaximum: chance.one([1, 4, 65_535]),
      topicAliasMaximum: chance.one([0, 0, 2]),
      keepAliveS: chance.one([0, 2, 30]),
      isSilent: chance.percent(10),
      will: will || null,
    };
  }
}
