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
    const disk = new SmallDisk(directory);
    disk.addBallast(ballastBytes);
    return disk;
  }

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** As much of it as there is room for. */
  addBallast(bytes: number): void {
    const file = openSync(join(this.directory, 'ballast'), 'w');
    try {
      for (let done = 0; done < bytes; ) done += writeSync(file, Buffer.alloc(MIB));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
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
