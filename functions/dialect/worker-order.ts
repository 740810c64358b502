import type { Seen } from './client-frame.js';
import { concatenated, NOTHING, wholePackets } from './packets.js';
import type { ServerFrame } from './server-frame.js';

export type WorkerFrame = Extract<ServerFrame, { type: 'worker' }>;

/** The client half's side of the worker's stream: in order again, whatever was repeated or overtaken, and in whole packets. Plain data. */
export interface WorkerOrder {
  /** 0: nothing has come. */
  epoch: number;
  /** Of the next frame to be taken. */
  next: number;
  /** Frames that came early. */
  early: WorkerFrame[];
  /** The beginning of a packet: an answer may be handed on before the rest of it comes. */
  partial: Uint8Array;
  /** Whether the CONNACK was handed on. Until then whole packets wait in `ready`. */
  isOpen: boolean;
  ready: Uint8Array[];
  /** The frame for which the connection was resumed; 0: none. */
  missed: number;
}

/** The worker posts one frame at a time, so that few are ever early. */
export const EARLY_FRAMES_MAX = 64;
/**
 * Of what is kept. Well above what Pulsar takes in one message (5 MiB): a packet that never fits would end every connection of
 * its receiver.
 */
export const KEPT_MAX_BYTES = 16 * 1024 * 1024;

export function newWorkerOrder(): WorkerOrder {
  return { epoch: 0, next: 1, early: [], partial: NOTHING, isOpen: false, ready: [], missed: 0 };
}

/** False where more would be kept than is allowed, or the stream is not MQTT: the connection is to end. */
export function addWorkerFrame(order: WorkerOrder, frame: WorkerFrame): boolean {
  if (frame.epoch < order.epoch) return true;
  // The shard has another owner, who knows nothing of what the one before was about to say.
  if (frame.epoch > order.epoch) Object.assign(order, { epoch: frame.epoch, next: 1, early: [], partial: NOTHING });
  if (frame.number < order.next || order.early.some(({ number }) => number === frame.number)) return true;
  if (frame.number > order.next + EARLY_FRAMES_MAX) return false;
  if (keptBytes(order) + frame.bytes.length > KEPT_MAX_BYTES) return false;
  order.early.push(frame);
  for (let due = takeDue(order); due !== undefined; due = takeDue(order)) if (!take(order, due)) return false;
  return true;
}

/** What can be handed on now, each whole packets; nothing before `isOpen`. */
export function takeReady(order: WorkerOrder): Uint8Array[] {
  if (!order.isOpen) return [];
  const { ready } = order;
  order.ready = [];
  return ready;
}

/** Whether an earlier frame is missing. */
export function hasGap(order: WorkerOrder): boolean {
  return order.early.length > 0;
}

/** For the resume: all of it up to here need not come again, for what is partial is kept. Null: nothing has come. */
export function seenOf({ epoch, next }: WorkerOrder): Seen | null {
  return next === 1 ? null : { epoch, number: next - 1 };
}

function keptBytes({ early, partial, ready }: WorkerOrder): number {
  return [partial, ...early.map(({ bytes }) => bytes), ...ready].reduce((sum, { length }) => sum + length, 0);
}

function takeDue(order: WorkerOrder): WorkerFrame | undefined {
  const at = order.early.findIndex(({ number }) => number === order.next);
  return at < 0 ? undefined : order.early.splice(at, 1)[0];
}

function take(order: WorkerOrder, { bytes }: WorkerFrame): boolean {
  order.next += 1;
  const all = order.partial.length === 0 ? bytes : concatenated([order.partial, bytes]);
  const whole = wholePackets(all);
  if (whole < 0) return false;
  order.partial = all.subarray(whole);
  if (whole > 0) order.ready.push(all.subarray(0, whole));
  return true;
}
