import { filterMatches } from '../../functions/topics/filter-match.js';
import type { Facts } from './facts.js';
import type { KeptEntry } from './log.js';

/**
 * What a share with members that persist has brought, known by its identifier: all that was appended while one of today's
 * members had it, to some member, and QoS 2 once. QoS 2 that a session had when it ended may be lost [MQTT-4.8.2-6].
 */
export function checkShare(
  { sessions, published }: Facts,
  share: { filter: string; identifier: number },
  entries: readonly KeptEntry[],
): string[] {
  const members = sessions.filter(({ subscribed }) => subscribed.some(({ filter }) => filter === share.filter));
  const received = members.flatMap((session) =>
    session.received.filter(({ identifiers }) => identifiers.includes(share.identifier)),
  );
  const standing = members
    .filter(({ isOver }) => !isOver)
    .flatMap(({ subscribed }) => subscribed)
    .filter(
      ({ filter, answeredStep, endAskedStep }) =>
        filter === share.filter && answeredStep !== null && endAskedStep === null,
    );
  const someEnded = members.some(({ isOver }) => isOver);
  const problems: string[] = [];
  for (const { record, step } of entries) {
    const origin = published.get(Buffer.from(record.payload).toString());
    if (origin === undefined || origin.qos === 0 || origin.expires) continue;
    if (origin.qos === 2 && someEnded) continue;
    const promised = standing.some(
      ({ matches, answeredStep }) => answeredStep! < step && filterMatches(matches, record.key),
    );
    if (promised && !received.some(({ id }) => id === origin.id)) problems.push(`${share.filter} lost ${origin.id}`);
  }
  const seen = new Set<string>();
  for (const { id, qos } of received) {
    if (qos !== 2 || id === '') continue;
    if (seen.has(id)) problems.push(`${share.filter} brought ${id} more than once with QoS 2`);
    seen.add(id);
  }
  return problems;
}
