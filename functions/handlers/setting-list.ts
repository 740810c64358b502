export interface SettingDescription {
  setting: string;
  default: string;
  /** The valid form, with an example where it helps. */
  form: string;
}

/** All settings but the limits, in the order in which help lists them. */
export const SETTINGS: readonly SettingDescription[] = [
  { setting: 'PULSEGATE_ROLE', default: 'all', form: 'all, edge or fan-out; this version has only all' },
  {
    setting: 'PULSEGATE_LISTEN',
    default: 'ws://127.0.0.1:8083/mqtt',
    form: 'a comma list of ws, wss, mqtt or mqtts URLs, such as ws://127.0.0.1:8083/mqtt,mqtts://0.0.0.0; without a port: 80, 443, 1883 or 8883',
  },
  {
    setting: 'PULSEGATE_TLS_CERT',
    default: 'none; needed for wss and mqtts',
    form: "a PEM file with the server's certificate and those between it and the root; SIGHUP has it and the key read anew",
  },
  {
    setting: 'PULSEGATE_TLS_KEY',
    default: 'none; needed for wss and mqtts',
    form: "a PEM file with the certificate's private key, without a passphrase",
  },
  {
    setting: 'PULSEGATE_LOG',
    default: 'embedded:.pulsegate',
    form: 'embedded:DIRECTORY or a pulsar://, pulsar+ssl://, pulsar+ws:// or pulsar+wss:// URL; this version has only embedded',
  },
  {
    setting: 'PULSEGATE_STORE',
    default: 'the directory of PULSEGATE_LOG',
    form: 'embedded:DIRECTORY or dynamodb:?prefix=P&region=R&endpoint=URL; this version has only embedded',
  },
  { setting: 'PULSEGATE_SHARDS', default: '1', form: 'a whole number from 1 on; this version has only 1' },
  {
    setting: 'PULSEGATE_AUTH',
    default: 'anonymous, on loopback only',
    form: 'anonymous, users:FILE, jwt:URL or secrets:ARN; this version has anonymous and users',
  },
  { setting: 'PULSEGATE_LOG_LEVEL', default: 'info', form: 'debug, info, warn or error' },
];
