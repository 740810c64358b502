/**
 * Why a data directory is not opened. None of them changes what is in it.
 *
 * - `in-use`: another process, or this one already, has it open.
 * - `foreign`: it holds something else.
 * - `newer`: it was written by a newer version of this program.
 * - `corrupt`: the data file is damaged.
 * - `unusable`: it cannot be created, read or written.
 */
export type DataDirectoryErrorCode = 'in-use' | 'foreign' | 'newer' | 'corrupt' | 'unusable';

export class DataDirectoryError extends Error {
  override readonly name = 'DataDirectoryError';
  readonly code: DataDirectoryErrorCode;

  constructor(code: DataDirectoryErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
