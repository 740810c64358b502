import { type Arrival, type Follower, keyOf } from './follower.js';
import type { Vehicle } from './vehicle.js';

/** What is wrong with what a follower got, in words; empty where nothing is. That nothing is missing is awaited elsewhere. */
export function faults(follower: Follower, vehicles: ReadonlyMap<string, Vehicle>): string[] {
  return [...strangers(follower, vehicles), ...repeated(follower), ...disordered(follower)].map(
    (fault) => `${follower.name}: ${fault}`,
  );
}

/** How often QoS 1 came more than once, which it may. */
export function repeats(follower: Follower): number {
  return follower.arrivals.length - new Set(follower.arrivals.map(keyOf)).size;
}

function strangers(follower: Follower, vehicles: ReadonlyMap<string, Vehicle>): string[] {
  return follower.arrivals.flatMap((arrival) => {
    const line = vehicles.get(arrival.vehicle)?.line;
    const expectedQos = Math.min(arrival.qos, follower.qos);
    if (line === undefined || !follower.lines.has(line)) return [`${keyOf(arrival)} is of no line that it follows`];
    return arrival.arrivedAt === expectedQos ? [] : [`${keyOf(arrival)} came at QoS ${arrival.arrivedAt}`];
  });
}

function repeated(follower: Follower): string[] {
  const seen = new Set<string>();
  return follower.arrivals.flatMap((arrival) => {
    if (arrival.arrivedAt === 1) return [];
    const key = keyOf(arrival);
    if (seen.has(key)) return [`${key} of QoS ${arrival.arrivedAt} came again`];
    seen.add(key);
    return [];
  });
}

/** Per vehicle and QoS, by the first time that each came [MQTT-4.6.0-6]. */
function disordered(follower: Follower): string[] {
  const last = new Map<string, Arrival>();
  const seen = new Set<string>();
  return follower.arrivals.flatMap((arrival) => {
    const key = keyOf(arrival);
    if (seen.has(key)) return [];
    seen.add(key);
    const flow = `${arrival.vehicle} at ${arrival.qos}`;
    const before = last.get(flow);
    last.set(flow, arrival);
    return before && before.sequence > arrival.sequence
      ? [`${key} of QoS ${arrival.qos} came after ${keyOf(before)}`]
      : [];
  });
}
