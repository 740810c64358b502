/** A bound that can be set. */
export interface Limit {
  /** Environment variable; in a file, the same name. */
  setting: string;
  unit: 'bytes' | 'messages' | 'posts' | 'connections' | 'subscriptions' | 'partitions' | 'aliases' | 'ms' | 's';
  default: number;
  min: number;
  max: number;
  meaning: string;
  /** What happens when it is reached. */
  answer: string;
}
