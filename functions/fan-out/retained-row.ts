import type { LogEntry } from '../ports/log.js';
import type { RetainedRow } from '../ports/store.js';
import type { Publication } from '../topics/publication.js';

/** The row that a retained publication leaves; an empty payload clears it [MQTT-3.3.1-6]. */
export function retainedRow(
  entry: Pick<LogEntry, 'partition' | 'position' | 'layout'>,
  publication: Publication,
): RetainedRow {
  return {
    topic: publication.topic,
    layout: entry.layout ?? 0,
    partition: entry.partition,
    position: entry.position,
    publication: publication.payload.length > 0 ? publication : null,
  };
}
