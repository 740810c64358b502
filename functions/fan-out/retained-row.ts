import type { LogEntry } from '../ports/log.js';
import type { RetainedRow } from '../ports/store.js';
import type { Publication } from '../topics/publication.js';
import type { Spellings } from '../topics/spellings.js';

/** Where a publication is; with both names where its topic has two. */
export type NamedPlace = Pick<LogEntry, 'partition' | 'position' | 'layout'> & { spellings?: Spellings };

/** The row that a retained publication leaves; an empty payload clears it [MQTT-3.3.1-6]. */
export function retainedRow(place: NamedPlace, publication: Publication): RetainedRow {
  return {
    topic: publication.topic,
    layout: place.layout ?? 0,
    partition: place.partition,
    position: place.position,
    publication: publication.payload.length > 0 ? publication : null,
  };
}

/** One for each name of its topic. */
export function retainedRows(place: NamedPlace, publication: Publication): RetainedRow[] {
  const { spellings } = place;
  if (spellings === undefined) return [retainedRow(place, publication)];
  return [spellings.short, spellings.full].map((topic) => retainedRow(place, { ...publication, topic }));
}
