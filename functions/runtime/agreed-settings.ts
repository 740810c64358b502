import type { Clock } from '../ports/clock.js';
import { PortError } from '../ports/errors.js';
import type { LeaseRow, LeaseStore } from '../ports/leases.js';
import type { Telemetry } from '../ports/telemetry.js';
import { edgeName } from './edge-name.js';

interface Parts {
  clock: Clock;
  telemetry: Telemetry;
  leases: Pick<LeaseStore, 'list'>;
}

/** Beats of leases that were seen to stand still, by their holders' names. */
export type Stood = Map<string, number>;

/**
 * Rejects `refused`, and says in what they differ, where a live process has been told other settings than these. A row of others may
 * be one that nobody renews any more: it is watched for as long as its lease lasts. Resolves with whether that was so: somebody else
 * may have come meanwhile, so the leases have to be asked for again.
 */
export async function checkAgreed(
  { clock, leases, telemetry }: Parts,
  agreed: LeaseRow['agreed'],
  found: readonly { row: LeaseRow }[],
  stood: Stood,
): Promise<boolean> {
  const others = found.filter(({ row }) => mayDiffer(agreed, row, stood));
  const [other] = others;
  if (other === undefined) return false;
  telemetry.log('info', 'other-settings-seen', {
    slot: other.row.slot,
    differs: differences(agreed, other.row.agreed).join(),
  });
  await new Promise<void>((resume) => clock.after(Math.max(...others.map(({ row }) => row.leaseMs)), resume));
  const beats = new Map((await leases.list()).map(({ row }) => [nameOf(row), row.beat]));
  for (const { row } of others) {
    const beat = beats.get(nameOf(row));
    if (beat === row.beat) stood.set(nameOf(row), beat);
    if (beat === undefined || beat === row.beat) continue;
    const [name = ''] = differences(agreed, row.agreed);
    const problem = `${name} is ${quoted(agreed[name])} here and ${quoted(row.agreed[name])} in process ${row.slot}, which runs`;
    throw new PortError('refused', `${problem}: all processes of one deployment have to share it`);
  }
  return true;
}

/** Whether a process with other settings may hold the lease. */
export function mayDiffer(agreed: LeaseRow['agreed'], row: LeaseRow, stood: Stood): boolean {
  return differences(agreed, row.agreed).length > 0 && stood.get(nameOf(row)) !== row.beat;
}

function nameOf({ slot, holder }: LeaseRow): string {
  return edgeName(slot, holder);
}

function differences(mine: LeaseRow['agreed'], others: LeaseRow['agreed']): string[] {
  return [...new Set([...Object.keys(mine), ...Object.keys(others)])].filter((name) => mine[name] !== others[name]);
}

function quoted(value: string | undefined): string {
  return value === undefined ? 'not known' : JSON.stringify(value);
}
