export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Fields of a log line. Never a payload, a password, or a token. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** What the program says of itself. `event` is a fixed text (what happened); what varies goes into `fields`. */
export interface Telemetry {
  log(level: LogLevel, event: string, fields?: LogFields): void;
  /** Adds to a counter. Names are kebab-case and end in what they count: `publications-refused`. */
  count(name: string, by?: number): void;
}

export const silent: Telemetry = { log() {}, count() {} };
