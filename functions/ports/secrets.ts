/**
 * Texts that are kept elsewhere and may change there. `name` is `NAME`, or `NAME#field` for a text in a JSON object. Both reject
 * with `PortError`: `unavailable` where it was never read and cannot be now, `refused` where there is none or we may not have it.
 */
export interface Secrets {
  /** From memory for a while, then anew; as last read while that cannot be done. */
  read(name: string): Promise<string>;
  /** Somebody did not take it: anew, though not for everybody who is turned away. */
  renew(name: string): Promise<string>;
}
