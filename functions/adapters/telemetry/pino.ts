import pino from 'pino';
import { isColorSupported, prettyFactory } from 'pino-pretty';
import type { LogLevel, Telemetry } from '../../ports/telemetry.js';

/** What JSON leaves as it is and a terminal may obey: DEL, the C1 controls, and marks that reverse the reading direction. */
const OBEYED_BY_TERMINALS = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** Fields that say what the line is; no other field may pass itself off as one. */
const RESERVED = new Set(['time', 'level', 'event']);

/** Where lines go; each write is one whole line. */
export interface LineWriter {
  write(text: string): unknown;
  isTTY?: boolean;
}

/**
 * One line an event on standard error: to be read on a terminal, JSON elsewhere. Counters are kept in memory.
 * Values come from clients, so none can begin a line, name the event or move a cursor.
 */
export function pinoTelemetry(
  level: LogLevel,
  out: LineWriter = standardError(),
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
    out.isTTY ? forTerminal(out) : { write: (text: string) => void out.write(text) },
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

function forTerminal(out: LineWriter) {
  const format = prettyFactory({
    colorize: isColorSupported,
    messageKey: 'event',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    errorLikeObjectKeys: [],
  });
  return { write: (line: string) => void out.write(format(line).replace(OBEYED_BY_TERMINALS, escaped)) };
}

function allowed(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !RESERVED.has(name)));
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A reader of the log that goes away must not take the program with it. */
function standardError(): NodeJS.WriteStream {
  return process.stderr.on('error', () => {});
}
