import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Template } from './template.js';

export interface Package {
  /** Where it was packaged: the archives are in `.serverless`. */
  folder: string;
  /** Of the template. */
  file: string;
  template: Template;
}

/** Without what is asked for in `docs/DEPLOY.md` after the first deployment. */
export const FIRST = { pulsarUrl: 'pulsar+wss://broker.example.com:8443' };

/** Everything that can be asked for. */
export const WHOLE = {
  ...FIRST,
  workerPulsarUrl: 'pulsar+ssl://broker.example.com:6651',
  pulsarWebUrl: 'https://broker.example.com:8443',
  domainName: 'mqtt.example.com',
  domainCertificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000000',
  functionSubnetIds: 'subnet-0123456789abcdef0,subnet-0123456789abcdef1',
  functionSecurityGroupIds: 'sg-0123456789abcdef0',
  pulsarToken: 'yes',
  auth: 'jwt:https://id.example.com/.well-known/jwks.json',
  jwtIssuer: 'https://id.example.com/',
  jwtAudience: 'mqtt',
  acl: 'yes',
  image: '123456789012.dkr.ecr.eu-central-1.amazonaws.com/pulsegate-dev:1',
  vpcId: 'vpc-0123456789abcdef0',
  balancerSubnetIds: 'subnet-0123456789abcdef0,subnet-0123456789abcdef1',
  taskSubnetIds: 'subnet-0123456789abcdef0',
  balancerCertificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/00000000-0000-0000-0000-000000000001',
  tasksMax: '4',
  alarmTopicArn: 'arn:aws:sns:eu-central-1:123456789012:alarms',
};

/**
 * Has osls package the functions that are in `functions`. In a folder of its own: osls writes beside serverless.yml. With no
 * credentials, and none are asked for.
 */
export function packaged(params: Readonly<Record<string, string>>, functions = 'dist/functions'): Package {
  const folder = mkdtempSync(join(tmpdir(), 'pulsegate-package-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'infra'));
  cpSync('serverless.yml', join(folder, 'serverless.yml'));
  cpSync('infra', join(folder, 'infra'), { recursive: true });
  cpSync(functions, join(folder, 'dist/functions'), { recursive: true });
  const words = Object.entries(params).map(([name, value]) => `--param=${name}=${value}`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [resolve('node_modules/osls/bin/serverless.js'), 'package', ...words],
    {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true', SLS_TELEMETRY_DISABLED: '1' },
    },
  );
  if (status !== 0) throw new Error(`osls package ended with ${status}:\n${stdout}${stderr}`);
  const file = join(folder, '.serverless/cloudformation-template-update-stack.json');
  return { folder, file, template: JSON.parse(readFileSync(file, 'utf8')) };
}
