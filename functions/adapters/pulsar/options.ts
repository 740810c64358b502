/** How to reach Pulsar, and the bounds of what is kept for it in memory. */
export interface PulsarOptions {
  /** `pulsar://`, `pulsar+ssl://` (native client), `pulsar+ws://` or `pulsar+wss://` (Pulsar's WebSocket API), host and port. */
  url: string;
  /** Pulsar's web service, for the native client; by default http and port 8080, or https and 8443, of the same host. */
  webUrl?: string;
  /** Tenant and namespace of topics that do not name theirs. */
  namespace?: string;
  /** Other namespaces that topics are in: their policies are looked at, too. */
  namespaces?: readonly string[];
  /** A JSON web token. */
  token?: string;
  /** A file with one; read anew when it has changed. */
  tokenFile?: string;
  /** Where one comes from that may change. */
  tokenSource?: TokenSource;
  oauth2?: OAuth2Options;
  tls?: TlsOptions;
  /** How long an append may take at most before it is rejected, and so how long `find` waits for those of others. */
  appendDeadlineMs?: number;
  /** Topics with an open producer at a time. */
  producersMax?: number;
  /** Appends per topic that wait for their receipt; more are kept back. */
  inFlightMax?: number;
  /** Bytes per topic that are kept for sending, in flight or back; more are refused as `full`. */
  pendingMaxBytes?: number;
  /** Told what a person who runs this should know: `level`, a fixed text, and what it is about. */
  tell?: (level: 'warn' | 'info', event: string, about: Readonly<Record<string, string | number | boolean>>) => void;
  /** How a topic is to be made; null: as the broker does by itself. */
  describe?: (topic: string) => TopicDescription | null;
}

export interface TokenSource {
  read(): Promise<string>;
  /** Anew, because Pulsar did not take it. */
  renew(): Promise<string>;
}

/** A header that lets us in, for HTTP and WebSocket requests; empty where nothing is asked for. */
export type AuthorizationHeader = Readonly<Record<string, string>>;

export interface Authorization {
  /** As it is now. */
  header(): Promise<AuthorizationHeader>;
  /** Another than `refused`, which Pulsar did not take; null: there is none. */
  another(refused: AuthorizationHeader): Promise<AuthorizationHeader | null>;
  /** The token of now without waiting, for whom cannot; empty: none is known yet. */
  token(): string;
}

export interface TopicDescription {
  /** Whether it may be made where it is not there. */
  mayBeMade: boolean;
  /** With so many partitions; null: as the broker does by itself. */
  partitions: number | null;
}

export interface TlsOptions {
  /** PEM file of the authorities to trust, instead of the system's. */
  caFile?: string;
  /** PEM files of a client certificate. */
  certFile?: string;
  keyFile?: string;
}

export interface OAuth2Options {
  issuerUrl: string;
  /** JSON file with `client_id` and `client_secret`, as Pulsar's clients read it. */
  credentialsFile: string;
  audience?: string;
  scope?: string;
}

/** With every bound set. */
export type PulsarSettings = PulsarOptions &
  Required<
    Pick<
      PulsarOptions,
      | 'namespace'
      | 'namespaces'
      | 'appendDeadlineMs'
      | 'producersMax'
      | 'inFlightMax'
      | 'pendingMaxBytes'
      | 'tell'
      | 'describe'
    >
  > & {
    authorization: Authorization;
  };

export function withDefaults(options: PulsarOptions): Omit<PulsarSettings, 'authorization'> {
  return {
    ...options,
    namespace: options.namespace ?? 'public/default',
    namespaces: options.namespaces ?? [],
    appendDeadlineMs: options.appendDeadlineMs ?? 20_000,
    producersMax: options.producersMax ?? 1_000,
    inFlightMax: options.inFlightMax ?? 5_000,
    pendingMaxBytes: options.pendingMaxBytes ?? 64 * 1024 * 1024,
    tell: options.tell ?? (() => {}),
    describe: options.describe ?? (() => null),
  };
}
