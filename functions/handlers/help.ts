import { LIMITS } from './limits.js';
import { SETTINGS } from './setting-list.js';

/** The text of `--help`. */
export function helpText(): string {
  const settings = SETTINGS.map(
    ({ setting, form, default: value }) => `  ${setting}\n      ${form}\n      default: ${value}`,
  );
  const limits = Object.values(LIMITS).map(
    ({ setting, unit, default: value, min, max, meaning, answer }) =>
      `  ${setting} (${unit}, default ${value}, from ${min} to ${max})\n      ${meaning}\n      when reached: ${answer}`,
  );
  return `pulsegate: MQTT over WebSocket and TCP into a durable log

Usage: pulsegate [--config FILE] [--check | --reshard]
  --config FILE     read settings from a YAML file of the names below; the environment wins
  --check           only say whether the settings are valid
  --reshard         move the sessions in DynamoDB to as many shards as PULSEGATE_SHARDS says (docs/SCALE.md)
  --hash-password   read a password from standard input, print what stands behind "name:" in a users file
  --help, --version

Settings
${settings.join('\n')}

Limits
${limits.join('\n')}
`;
}
