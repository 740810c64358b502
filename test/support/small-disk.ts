import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notRun } from './parts.js';
import type { Scope } from './waiting.js';

const MIB = 1024 * 1024;

/** A file system of its own, of a few MiB, with a ballast that can be thrown off. Only root may mount one. */
export class SmallDisk {
  readonly directory: string;

  /** Null, having said why, where it cannot be had. */
  static mount(scope: Scope, bytes: number, ballastBytes: number): SmallDisk | null {
    const directory = mkdtempSync(join(tmpdir(), 'pulsegate-disk-'));
    const { status, stderr, error } = spawnSync('mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=${bytes}`,
      'pulsegate',
      directory,
    ]);
    if (status !== 0) {
      rmdirSync(directory);
      notRun('full disk', `no tmpfs can be mounted here: ${error?.message ?? stderr.toString().trim()}`);
      return null;
    }
    scope.after(async () => {
      spawnSync('umount', ['--lazy', directory]);
      rmdirSync(directory);
    });
    return new SmallDisk(directory, ballastBytes);
  }

  private constructor(directory: string, ballastBytes: number) {
    this.directory = directory;
    const file = openSync(join(directory, 'ballast'), 'w');
    for (let done = 0; done < ballastBytes; done += MIB) writeSync(file, Buffer.alloc(MIB));
    closeSync(file);
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.directory);
    return bavail * bsize;
  }

  /** From now on there is room. */
  dropBallast(): void {
    rmSync(join(this.directory, 'ballast'));
  }
}
