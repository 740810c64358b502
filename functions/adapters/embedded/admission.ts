import { portErrorCode } from '../../ports/errors.js';
import type { Need, Room } from './room.js';

interface Waiting {
  /** False where there is no room now, but may be when writes under way have settled. */
  tryBegin(): boolean;
}

/**
 * Lets writes begin in the order in which they came. What a write may need is judged from above, and what it took is known once
 * it has settled: so where there is no room, it waits for those under way, and is refused only when there are none.
 */
export class Admission {
  readonly #room: Room;
  #waiting: Waiting[] = [];
  #underWay = 0;

  constructor(room: Room) {
    this.#room = room;
  }

  /** Begins at once where there is room. Rejects `full`, with nothing begun, or as `write` does. */
  run<T>(need: Need, write: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const tryBegin = (): boolean => {
        let leave: () => void;
        try {
          leave = this.#room.enter(need);
        } catch (error) {
          if (portErrorCode(error) === 'full' && this.#underWay > 0) return false;
          reject(error);
          return true;
        }
        this.#underWay += 1;
        const end = () => {
          this.#underWay -= 1;
          leave();
          this.#beginWaiting();
        };
        write().finally(end).then(resolve, reject);
        return true;
      };
      if (this.#waiting.length > 0 || !tryBegin()) this.#waiting.push({ tryBegin });
    });
  }

  #beginWaiting(): void {
    let begun = 0;
    while (begun < this.#waiting.length && this.#waiting[begun]?.tryBegin()) begun += 1;
    if (begun > 0) this.#waiting = this.#waiting.slice(begun);
  }
}
