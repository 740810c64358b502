import type { LogFields, LogLevel, Telemetry } from '../../ports/telemetry.js';

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** One line an event on standard error: to be read on a terminal, JSON elsewhere. Counters are kept in memory. */
export function stderrTelemetry(
  level: LogLevel,
  out: { write(text: string): unknown; isTTY?: boolean } = process.stderr,
): Telemetry & { counters(): Record<string, number> } {
  const counters = new Map<string, number>();
  const format = out.isTTY ? pretty : json;
  return {
    log(lineLevel, event, fields = {}) {
      if (ORDER.indexOf(lineLevel) >= ORDER.indexOf(level)) out.write(`${format(lineLevel, event, fields)}\n`);
    },
    count(name, by = 1) {
      counters.set(name, (counters.get(name) ?? 0) + by);
    },
    counters: () => Object.fromEntries(counters),
  };
}

function json(level: LogLevel, event: string, fields: LogFields): string {
  return JSON.stringify({ time: new Date().toISOString(), level, event, ...fields });
}

function pretty(level: LogLevel, event: string, fields: LogFields): string {
  const parts = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${JSON.stringify(value)}`,
  );
  return [new Date().toISOString().slice(11, 23), level.padEnd(5), event, ...parts].join(' ');
}
