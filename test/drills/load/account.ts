import assert from 'node:assert/strict';
import { disordered, type Reader, repeated } from './reader.js';
import type { Writer } from './writer.js';

/** What a drill saw; docs/DRILLS.md says what each means. */
export interface Figures {
  /** Publications that the writers sent, by QoS. */
  in: Record<0 | 1 | 2, number>;
  acknowledged: Record<1 | 2, number>;
  /** Deliveries to all readers, repeats left out. */
  delivered: number;
  readers: number;
  /** Acknowledged, and not at a reader. */
  lost: string[];
  /** By the QoS of the delivery. */
  repeated: Record<0 | 1 | 2, string[]>;
  disordered: string[];
  /** Answered by a reason code. */
  refused: string[];
  longestStallMs: number;
  recoveries: ReadonlyMap<string, number>;
  /** What was waited for in vain. */
  problems: readonly string[];
}

interface Seen {
  writers: readonly Writer[];
  readers: readonly Reader[];
  recoveries: ReadonlyMap<string, number>;
  begunAt: number;
  endedAt: number;
  problems: readonly string[];
}

export function accountOf({ writers, readers, begunAt, endedAt, ...seen }: Seen): Figures {
  const sum = (qos: number, count: (writer: Writer) => number) =>
    writers.filter((writer) => writer.qos === qos).reduce((total, writer) => total + count(writer), 0);
  const acknowledged = writers.flatMap((writer) => writer.acknowledged);
  const repeats = { 0: [] as string[], 1: [] as string[], 2: [] as string[] };
  for (const reader of readers) {
    for (const payload of repeated(reader.arrivals.all)) {
      const qos = Math.min(Number(payload.split(':')[1]), reader.qos) as 0 | 1 | 2;
      repeats[qos].push(`${payload} at ${reader.name}`);
    }
  }
  return {
    in: { 0: sum(0, sentOf), 1: sum(1, sentOf), 2: sum(2, sentOf) },
    acknowledged: { 1: sum(1, acknowledgedOf), 2: sum(2, acknowledgedOf) },
    delivered: readers.reduce((total, { arrivals }) => total + new Set(arrivals.all).size, 0),
    readers: readers.length,
    lost: readers.flatMap(({ name, arrivals }) => {
      const there = new Set(arrivals.all);
      return acknowledged.filter((payload) => !there.has(payload)).map((payload) => `${payload} at ${name}`);
    }),
    repeated: repeats,
    disordered: readers.flatMap(({ name, arrivals }) =>
      disordered(arrivals.all).map((payload) => `${payload} at ${name}`),
    ),
    refused: writers.flatMap(({ refused }) => refused),
    longestStallMs: Math.max(...readers.map(({ arrivedAt }) => longestGap(arrivedAt, begunAt, endedAt))),
    ...seen,
  };
}

/** One block, for a person. */
export function blockOf(title: string, figures: Figures): string {
  const { recoveries } = figures;
  const recovery = [...recoveries].map(([name, ms]) => `${name} ${seconds(ms)}`).join(', ');
  const rows: [string, string][] = [
    ['in', `${total(figures.in)} (${byQos(figures.in)})`],
    [
      'acknowledged',
      `${total(figures.acknowledged)} (${byQos(figures.acknowledged)}), refused ${figures.refused.length}${figures.refused[0] ? `, such as ${figures.refused[0]}` : ''}`,
    ],
    ['delivered', `${figures.delivered} to ${figures.readers} readers`],
    ['lost', String(figures.lost.length)],
    [
      'repeated',
      `${figures.repeated[2].length} of QoS 2 (QoS 1: ${figures.repeated[1].length}, QoS 0: ${figures.repeated[0].length})`,
    ],
    ['out of order', String(figures.disordered.length)],
    ['longest stall', seconds(figures.longestStallMs)],
    ['recovery', recovery || '-'],
  ];
  return [title, ...rows.map(([name, value]) => `  ${name.padEnd(14)}${value}`)].join('\n');
}

/** What must hold whatever a drill does. */
export function mustHold({ lost, repeated: repeats, disordered: late, problems, acknowledged }: Figures): void {
  const some = (all: readonly string[]) => all.slice(0, 10);
  assert.deepEqual(problems, []);
  assert.deepEqual(some(lost), [], `${lost.length} lost`);
  assert.deepEqual(some(repeats[2]), [], `${repeats[2].length} of QoS 2 repeated`);
  assert.deepEqual(some(late), [], `${late.length} out of order`);
  assert.ok(acknowledged[1] > 0 && acknowledged[2] > 0, 'there was load');
}

function sentOf({ sent }: Writer): number {
  return sent;
}

function acknowledgedOf({ acknowledged }: Writer): number {
  return acknowledged.length;
}

/** The longest time without any of these, from the begin to the end. */
function longestGap(times: readonly number[], begunAt: number, endedAt: number): number {
  const all = [begunAt, ...times.filter((at) => at > begunAt && at < endedAt), endedAt];
  return Math.max(...all.slice(1).map((at, i) => at - all[i]!));
}

function total(counts: Readonly<Record<number, number>>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}

function byQos(counts: Readonly<Record<number, number>>): string {
  return Object.entries(counts)
    .map(([qos, count]) => `QoS ${qos}: ${count}`)
    .join(', ');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
