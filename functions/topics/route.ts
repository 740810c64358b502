/** Where a publication goes: a topic of the log, and the key that decides its partition. */
export interface Placement {
  logTopic: string;
  key: string;
}

/** What has to be read so that no publication that a filter matches is missed. */
export type Reading =
  /** A topic of the log; where one key alone can match, the partition of that key is enough. */
  | { logTopic: string; key: string | null }
  /** The topics of a namespace (`tenant/namespace`) that `toTopic` gives a matching MQTT topic: which there are, only the log can say. */
  | { namespace: string };

/** What a route says of a topic of the log. */
export interface LogTopic {
  /** Whether Pulsegate may make it where it is not there. */
  mayBeMade: boolean;
  /** Made with so many partitions; null: as the log does by itself. */
  partitions: number | null;
  /** Raised when MQTT topics move to this topic of the log from another: their retained messages are newer than those of a lower one. */
  generation: number;
}

/** How MQTT topics and topics of the log stand for each other (DESIGN.md section 4). */
export interface Route {
  /** null where this route does not take the topic. */
  toLog(topic: string): Placement | null;
  /** The MQTT topic of a record, whoever produced it; null where it is not this route's, or stands for no valid topic. */
  toTopic(logTopic: string, key: string): string | null;
  /** None where this route can hold nothing that the filter matches. */
  readings(filter: string): readonly Reading[];
  /** Topics of the log that this route names, whatever the MQTT topic. */
  readonly named: readonly string[];
  /** The MQTT topics that any other topic of the log may stand for, whatever the key. */
  topicsOf(logTopic: string): readonly string[];
  /** null where the topic of the log is none of this route's. */
  describe(logTopic: string): LogTopic | null;
}

/** Made where it is missing, as the log does by itself. */
export const PLAIN_LOG_TOPIC: LogTopic = { mayBeMade: true, partitions: null, generation: 0 };
