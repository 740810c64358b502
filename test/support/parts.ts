import { appendFileSync } from 'node:fs';

/** Says that a part of the tests could not run here, and why; the test command prints it last, and fails on it where all are required. */
export function notRun(part: string, reason: string): void {
  const file = process.env.PULSEGATE_TEST_NOT_RUN;
  const line = `${part}: ${reason}`;
  if (file) appendFileSync(file, `${line}\n`);
  else console.log(`not run: ${line}`);
}
