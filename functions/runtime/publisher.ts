import { retainedRow } from '../fan-out/retained-row.js';
import { PortError } from '../ports/errors.js';
import type { Log, Receipt } from '../ports/log.js';
import type { Store } from '../ports/store.js';
import type { Publication } from '../topics/publication.js';
import { RECORD_PROPERTIES, toRecord } from '../topics/record.js';
import type { Routes } from '../topics/routes.js';
import { AppendSearch } from './append-search.js';

/** Publications into the log, and with RETAIN into the retained row behind it. */
export class Publisher {
  readonly #log: Log;
  readonly #store: Pick<Store, 'retained'>;
  readonly #routes: Routes;
  readonly #search: AppendSearch;

  constructor(parts: { log: Log; store: Pick<Store, 'retained'>; routes: Routes }) {
    this.#log = parts.log;
    this.#store = parts.store;
    this.#routes = parts.routes;
    this.#search = new AppendSearch(parts.log, RECORD_PROPERTIES.token);
  }

  /** Resolves when the publication is durable, and its retained row where it has one. Rejects as `Log.append` does. */
  publish(publication: Publication): Promise<Receipt> {
    const place = this.#routes.toLog(publication.topic);
    if (place === null) return Promise.reject(new PortError('refused', 'no route takes this topic'));
    const appended = this.#log.append(place.logTopic, toRecord(publication, place.key));
    return publication.retain ? this.#retain(publication, appended) : appended;
  }

  /** Whether an append with this token was made; waits until none can arrive late. */
  async wasPublished(topic: string, token: string, sinceMs: number): Promise<boolean> {
    const place = this.#routes.toLog(topic);
    if (place === null) return false;
    return this.#search.find(place.logTopic, { key: place.key, value: token }, sinceMs);
  }

  async #retain(publication: Publication, appended: Promise<Receipt>): Promise<Receipt> {
    const receipt = await appended;
    try {
      await this.#store.retained.put(retainedRow(receipt, publication));
    } catch (cause) {
      // It is in the log, whatever became of the row: nobody may be told that it is not.
      throw new PortError('unavailable', 'a retained publication is in the log, and its row is not written', { cause });
    }
    return receipt;
  }
}
