export interface SettingDescription {
  setting: string;
  default: string;
  /** The valid form, with an example where it helps. */
  form: string;
}

/** All settings but the limits, in the order in which help lists them. */
export const SETTINGS: readonly SettingDescription[] = [
  {
    setting: 'PULSEGATE_ROLE',
    default: 'all',
    form: 'all, edge or fan-out: takes clients and serves subscriptions, or one of both (docs/SCALE.md)',
  },
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
    form: 'embedded:DIRECTORY, or pulsar://HOST:6650 or pulsar+ssl://HOST:6651 (native addon), or pulsar+ws://HOST:8080 or pulsar+wss://HOST:8443 (no addon)',
  },
  {
    setting: 'PULSEGATE_STORE',
    default: 'the directory of PULSEGATE_LOG, or embedded:.pulsegate',
    form: 'embedded:DIRECTORY or dynamodb:?prefix=P&region=R&endpoint=URL&make=yes, each part optional',
  },
  {
    setting: 'PULSEGATE_GATEWAY',
    default: 'none: no client comes through API Gateway',
    form: "https://API.execute-api.REGION.amazonaws.com/STAGE: where API Gateway's connections are called; needs PULSEGATE_STORE=dynamodb:",
  },
  {
    setting: 'PULSEGATE_ROUTES',
    default: '# -> keyed:mqtt',
    form: 'PATTERN -> KIND:TOPIC in a comma list, or in a file a YAML list; the first that matches wins (docs/PULSAR.md)',
  },
  {
    setting: 'PULSEGATE_PULSAR_WEB',
    default: 'port 8080, with TLS 8443, of the host of PULSEGATE_LOG',
    form: "Pulsar's web service, such as http://broker:8080; the native client needs it for what its protocol cannot ask",
  },
  {
    setting: 'PULSEGATE_PULSAR_NAMESPACE',
    default: 'public/default',
    form: 'TENANT/NAMESPACE of topics that do not name theirs',
  },
  {
    setting: 'PULSEGATE_PULSAR_TOKEN',
    default: 'none',
    form: 'a JSON web token, file:PATH of a file with one, or secrets:NAME[#FIELD] of one in AWS Secrets Manager',
  },
  {
    setting: 'PULSEGATE_PULSAR_OAUTH2',
    default: 'none',
    form: 'issuer=URL&credentials=FILE, and audience=A and scope=S where the issuer wants them; FILE as for every Pulsar client',
  },
  {
    setting: 'PULSEGATE_PULSAR_CA',
    default: "the system's",
    form: 'a PEM file of the authorities to trust for Pulsar',
  },
  { setting: 'PULSEGATE_PULSAR_CERT', default: 'none', form: 'a PEM file of the client certificate for Pulsar' },
  { setting: 'PULSEGATE_PULSAR_KEY', default: 'none', form: 'a PEM file of its private key' },
  {
    setting: 'PULSEGATE_SHARDS',
    default: '1',
    form: 'a whole number from 1 to 9999: twice the workers planned; changing it is docs/SCALE.md',
  },
  {
    setting: 'PULSEGATE_AUTH',
    default: 'anonymous, on loopback only',
    form: 'anonymous, users:FILE, jwt:URL of a set of keys (https, or http on loopback) or jwt:FILE of a public key; for FILE also secrets:NAME[#FIELD] (docs/SECURITY.md)',
  },
  { setting: 'PULSEGATE_JWT_ISSUER', default: 'any', form: 'a comma list; a token has to name one as its issuer' },
  { setting: 'PULSEGATE_JWT_AUDIENCE', default: 'any', form: 'a comma list; a token has to be for one of them' },
  {
    setting: 'PULSEGATE_JWT_ALGORITHMS',
    default: 'all that the keys are for',
    form: 'a comma list of RS256, PS256, ES256 (and their 384 and 512), EdDSA, Ed25519, and HS256 for a secret in jwt:FILE',
  },
  { setting: 'PULSEGATE_JWT_USERNAME', default: 'sub', form: 'the claim that is the user name' },
  {
    setting: 'PULSEGATE_JWT_CLIENT_ID',
    default: 'clientid, where a token has it',
    form: 'the claim that the client identifier has to be equal to; set, every token has to have it',
  },
  {
    setting: 'PULSEGATE_JWT_EXPIRED',
    default: 'close',
    form: 'close or keep: what becomes of a connection whose token expires',
  },
  {
    setting: 'PULSEGATE_ACL',
    default: 'none: who may come in may do everything',
    form: 'a YAML or JSON file, or secrets:NAME[#FIELD], of who may publish and subscribe to what (docs/SECURITY.md); behind API Gateway JSON',
  },
  { setting: 'PULSEGATE_LOG_LEVEL', default: 'info', form: 'debug, info, warn or error' },
];
