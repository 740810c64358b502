import { closeSync, fdatasyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DATA } from './peers.js';
import { median } from './rounds.js';

const APPENDS = 100;
const APPEND_BYTES = 256;

/** Milliseconds of one fdatasync behind a small append, where the program has its data. */
export function flushMs(): number {
  mkdirSync(DATA, { recursive: true });
  const path = join(DATA, `flush-${process.pid}`);
  const file = openSync(path, 'a');
  const taken: number[] = [];
  for (let i = 0; i < APPENDS; i += 1) {
    writeSync(file, Buffer.alloc(APPEND_BYTES, i));
    const begun = performance.now();
    fdatasyncSync(file);
    taken.push(performance.now() - begun);
  }
  closeSync(file);
  rmSync(path);
  return median(taken);
}
