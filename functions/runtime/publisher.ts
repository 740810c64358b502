import { retainedRows } from '../fan-out/retained-row.js';
import { PortError, portErrorCode } from '../ports/errors.js';
import type { Log, LogRecord, Receipt } from '../ports/log.js';
import type { InboundRow, Store } from '../ports/store.js';
import type { Publication } from '../topics/publication.js';
import { RECORD_PROPERTIES, toRecord } from '../topics/record.js';
import { layoutIn, type Routes, spelledIn } from '../topics/routes.js';
import { AppendSearch, type Other } from './append-search.js';
import { FirstUse } from './first-use.js';

/**
 * From taking something over, which a row says, to asking for its append. Who was held up for longer must not append it any more:
 * somebody else may have looked for it in vain, and done so.
 */
export const BEGIN_MAX_MS = 2_000;

interface Doubtful {
  sinceMs: number;
  lastMs?: number;
  isOwn: boolean;
  alike?: () => Promise<readonly InboundRow[]>;
}

/** Publications into the log, and with RETAIN into the retained row behind it. */
export class Publisher {
  /** How long after it was asked for an append of another process may arrive: PULSEGATE_APPEND_DEADLINE_MS. */
  readonly lateMaxMs: number;
  readonly #log: Log;
  readonly #store: Pick<Store, 'retained'>;
  readonly #routes: Routes;
  readonly #search: AppendSearch;
  readonly #firstUse: FirstUse;
  readonly #acknowledged: (receipt: Receipt) => void;
  /** Retained publications on their way to the log or to their row. */
  readonly #retaining = new Set<Promise<unknown>>();

  /**
   * `discover`: told of a log topic before this process first appends to it; null: nothing has to be waited for. `acknowledged`:
   * told where a publication is before its client hears of it. `lateMaxMs`: see there.
   */
  constructor(parts: {
    log: Log;
    store: Pick<Store, 'retained'>;
    routes: Routes;
    discover: (logTopic: string) => Promise<void> | null;
    acknowledged?: (receipt: Receipt) => void;
    lateMaxMs?: number;
  }) {
    this.#log = parts.log;
    this.#store = parts.store;
    this.#routes = parts.routes;
    this.#search = new AppendSearch(parts.log, RECORD_PROPERTIES.token);
    this.#firstUse = new FirstUse(parts.discover);
    this.#acknowledged = parts.acknowledged ?? (() => {});
    this.lateMaxMs = parts.lateMaxMs ?? 0;
  }

  /** Resolves when the publication is durable, and its retained row where it has one. Rejects as `Log.append` does. */
  publish(publication: Publication): Promise<Receipt> {
    const place = this.#routes.toLog(publication.topic);
    if (place === null) return Promise.reject(new PortError('refused', 'no route takes this topic'));
    const { logTopic } = place;
    const record = toRecord(publication, place.key);
    return this.#firstUse.use(logTopic, () => this.#append(logTopic, record, publication));
  }

  /** What `publish` resolved with is going to be acknowledged: whoever subscribes after that does not get it as new. */
  acknowledged(receipt: Receipt): void {
    this.#acknowledged(receipt);
  }

  /** Resolves when every retained publication that is on its way now has its row, or will have none. */
  async retained(): Promise<void> {
    await Promise.allSettled(this.#retaining);
  }

  /**
   * Whether it was appended under this token; waits until no append can arrive late. `lastMs`: when somebody else has begun it
   * last, absent: at `sinceMs`. `isOwn`: only this process can have appended it. `alike`: what else is in doubt of the same client, to be
   * looked for along with it. Its retained row, which the crash may have come before, is then written too.
   */
  async wasPublished(
    publication: Publication,
    token: string,
    { sinceMs, lastMs = sinceMs, isOwn, alike }: Doubtful,
  ): Promise<boolean> {
    const place = this.#routes.toLog(publication.topic);
    if (place === null) return false;
    const receipt = await this.#search.find(
      place.logTopic,
      { key: place.key, value: token, sinceMs, lastMs: lastMs + BEGIN_MAX_MS, isOwn },
      alike && (async () => (await alike()).map(othersOf)),
    );
    if (receipt !== undefined && publication.retain) await this.#retain(place.logTopic, publication, receipt);
    return receipt !== undefined;
  }

  #append(logTopic: string, record: LogRecord, publication: Publication): Promise<Receipt> {
    const appended = this.#log.append(logTopic, record);
    const { token: value, publishedAtMs: sinceMs } = publication;
    if (value !== undefined) {
      appended.catch((error: unknown) => {
        if (portErrorCode(error) === 'unavailable') this.#search.doubt(logTopic, { key: record.key, value, sinceMs });
      });
    }
    if (!publication.retain) return appended;
    const retained = this.#retain(logTopic, publication, appended).finally(() => this.#retaining.delete(retained));
    this.#retaining.add(retained);
    return retained;
  }

  async #retain(logTopic: string, publication: Publication, appended: Promise<Receipt> | Receipt): Promise<Receipt> {
    const receipt = await appended;
    const layout = layoutIn(this.#routes, logTopic, receipt);
    try {
      const rows = retainedRows({ ...receipt, layout, ...spelledIn(this.#routes, logTopic) }, publication);
      await Promise.all(rows.map((row) => this.#store.retained.put(row)));
    } catch (cause) {
      // It is in the log, whatever became of the row: nobody may be told that it is not.
      throw new PortError('unavailable', 'a retained publication is in the log, and its row is not written', { cause });
    }
    return receipt;
  }
}

/** An exchange that is open: of which topic it is nobody has written down. */
function othersOf({ token: value, begunAtMs: sinceMs, retriedAtMs = sinceMs }: InboundRow): Other {
  return { value, sinceMs, lastMs: retriedAtMs + BEGIN_MAX_MS };
}
