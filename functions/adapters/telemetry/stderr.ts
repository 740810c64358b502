import type { LogFields, LogLevel, Telemetry } from '../../ports/telemetry.js';

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** What JSON leaves as it is and a terminal may obey: DEL, the C1 controls, and marks that reverse the reading direction. */
const OBEYED_BY_TERMINALS = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/**
 * One line an event on standard error: to be read on a terminal, JSON elsewhere. Counters are kept in memory.
 * Values come from clients, so none can begin a line, name the event or move a cursor.
 */
export function stderrTelemetry(
  level: LogLevel,
  out: { write(text: string): unknown; isTTY?: boolean } = standardError(),
): Telemetry & { snapshot(): Record<string, number> } {
  const counters = new Map<string, number>();
  const format = out.isTTY ? pretty : json;
  return {
    log(lineLevel, event, fields = {}) {
      if (ORDER.indexOf(lineLevel) >= ORDER.indexOf(level)) out.write(`${format(lineLevel, event, fields)}\n`);
    },
    count(name, by = 1) {
      counters.set(name, (counters.get(name) ?? 0) + by);
    },
    snapshot: () => Object.fromEntries(counters),
  };
}

function json(level: LogLevel, event: string, fields: LogFields): string {
  const head = { time: new Date().toISOString(), level, event };
  return JSON.stringify({ ...head, ...fields, ...head });
}

function pretty(level: LogLevel, event: string, fields: LogFields): string {
  const parts = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${JSON.stringify(value).replace(OBEYED_BY_TERMINALS, escaped)}`,
  );
  return [new Date().toISOString().slice(11, 23), level.padEnd(5), event, ...parts].join(' ');
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A reader of the log that goes away must not take the program with it. */
function standardError(): NodeJS.WriteStream {
  return process.stderr.on('error', () => {});
}
