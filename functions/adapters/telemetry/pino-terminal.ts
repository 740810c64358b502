import { isColorSupported, prettyFactory } from 'pino-pretty';
import type { LineWriter } from './pino.js';

/** What JSON leaves as it is and a terminal may obey: DEL, the C1 controls, and marks that reverse the reading direction. */
const OBEYED_BY_TERMINALS = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** Lines of `pinoTelemetry` to be read by people. */
export function forTerminal(out: LineWriter): LineWriter {
  const format = prettyFactory({
    colorize: isColorSupported,
    messageKey: 'event',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
    errorLikeObjectKeys: [],
  });
  return { write: (line: string) => void out.write(format(line).replace(OBEYED_BY_TERMINALS, escaped)) };
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
