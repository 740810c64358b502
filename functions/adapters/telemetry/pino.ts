import pino, { type DestinationStream } from 'pino';
import type { LogLevel, Telemetry } from '../../ports/telemetry.js';

/** Fields that say what the line is; no other field may pass itself off as one. */
const RESERVED = new Set(['time', 'level', 'event']);

/** Where lines go; each write is one whole line. */
export interface LineWriter {
  write(text: string): unknown;
  isTTY?: boolean;
}

/**
 * One line an event on standard error, JSON; on a terminal as `forTerminal` has it. Counters are kept in memory.
 * Values come from clients, so none can begin a line, name the event or move a cursor.
 */
export function pinoTelemetry(
  level: LogLevel,
  out: LineWriter = standardError(),
  forTerminal?: (out: LineWriter) => LineWriter,
): Telemetry & { snapshot(): Record<string, number> } {
  const counters = new Map<string, number>();
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    out.isTTY && forTerminal
      ? (forTerminal(out) as DestinationStream)
      : { write: (text: string) => void out.write(text) },
  );
  return {
    log(lineLevel, event, fields = {}) {
      if (logger.isLevelEnabled(lineLevel)) logger[lineLevel](allowed(fields), event);
    },
    count(name, by = 1) {
      counters.set(name, (counters.get(name) ?? 0) + by);
    },
    snapshot: () => Object.fromEntries(counters),
  };
}

function allowed(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !RESERVED.has(name)));
}

/** A reader of the log that goes away must not take the program with it. */
function standardError(): NodeJS.WriteStream {
  return process.stderr.on('error', () => {});
}
