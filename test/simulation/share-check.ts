import { filterMatches } from '../../functions/topics/filter-match.js';
import type { Facts } from './facts.js';
import type { KeptEntry } from './log.js';

/**
 * What a share has brought, known by its identifier: all that was appended while one of today's members had it, to some
 * member, and QoS 2 once. QoS 2 that a session had when it ended may be lost [MQTT-4.8.2-6].
 */
export function checkShare(
  { sessions, published }: Facts,
  share: { filter: string; identifier: number },
  entries: readonly KeptEntry[],
): string[] {
  const members = sessions.flatMap((session) => {
    const subscribed = session.subscribed.filter(({ filter }) => filter === share.filter);
    return subscribed.length === 0 ? [] : [{ ...session, subscribed }];
  });
  const received = members.flatMap((member) =>
    member.received.filter(({ identifiers }) => identifiers.includes(share.identifier)),
  );
  const got = new Set(received.map(({ id }) => id));
  const problems: string[] = [];
  for (const { record, step } of entries) {
    const origin = published.get(Buffer.from(record.payload).toString());
    if (origin === undefined || origin.qos === 0 || origin.expires || got.has(origin.id)) continue;
    const isPromised = members.some(({ overStep, subscribed }) =>
      subscribed.some(
        ({ matches, answeredStep, endAskedStep }) =>
          overStep === null &&
          endAskedStep === null &&
          answeredStep !== null &&
          answeredStep < step &&
          filterMatches(matches, record.key),
      ),
    );
    const mayHaveEnded = members.some(
      ({ overStep, shardKnewStep, subscribed }) =>
        overStep !== null && (shardKnewStep ?? step) >= step && subscribed.some(({ qos }) => qos === 2),
    );
    const isExcused = origin.qos === 2 && mayHaveEnded;
    if (isPromised && !isExcused) problems.push(`${share.filter} lost ${origin.id}`);
  }
  const seen = new Set<string>();
  for (const { id, qos } of received) {
    if (qos !== 2 || id === '') continue;
    if (seen.has(id)) problems.push(`${share.filter} brought ${id} more than once with QoS 2`);
    seen.add(id);
  }
  return problems;
}
