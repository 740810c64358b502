import { SESSION_NEVER_EXPIRES_S } from './limits.js';
import type { Properties } from './packets.js';

/** When a session ends that was left at `disconnectedAtMs`, in milliseconds since the epoch; Infinity where it never expires. */
export function sessionEndMs(disconnectedAtMs: number, sessionExpiryS: number): number {
  return sessionExpiryS === SESSION_NEVER_EXPIRES_S
    ? Number.POSITIVE_INFINITY
    : disconnectedAtMs + sessionExpiryS * 1000;
}

/** Whole seconds that a message has left, null where it has no expiry; 0 or less: expired [MQTT-3.3.2-5] [MQTT-3.3.2-6]. */
export function messageSecondsLeft(
  message: { properties?: Properties; publishedAtMs: number },
  now: number,
): number | null {
  const interval = message.properties?.messageExpiryInterval;
  if (interval === undefined) return null;
  const waitedS = Math.floor((now - message.publishedAtMs) / 1000);
  return interval - Math.max(0, waitedS);
}
