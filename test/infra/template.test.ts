import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readCommand } from '../../functions/handlers/settings.js';
import { notRun } from '../support/parts.js';
import { FIRST, packaged, WHOLE } from './packaged.js';
import { type Resource, resourcesOf } from './template.js';

const packages = { first: packaged(FIRST), whole: packaged(WHOLE) };
const first = resourcesOf(packages.first.template);
const whole = resourcesOf(packages.whole.template);
/** Read by AWS's SDK, too. */
const OF_AWS = ['AWS_REGION'];
/** `SHUTDOWN_MAX_MS` of functions/handlers/pulsegate.ts. */
const STOP_MAX_S = 10;
const FUNCTIONS = ['Connect', 'Message', 'Disconnect'];

/** Every statement whose resources are not named to the end, and why they cannot be. */
const WILDCARDS: Readonly<Record<string, string>> = {
  'ConnectRole logs:CreateLogStream,logs:PutLogEvents': 'streams of its own log group: Lambda names them',
  'MessageRole logs:CreateLogStream,logs:PutLogEvents': 'the same',
  'DisconnectRole logs:CreateLogStream,logs:PutLogEvents': 'the same',
  'MessageRole execute-api:ManageConnections': 'connections of this API, to close them: API Gateway names them',
  'TaskRole execute-api:ManageConnections': 'connections of this API, to post to them and to close them',
  'TaskStartRole ecr:GetAuthorizationToken': 'knows no resource',
  'FunctionNetworkPolicy ec2:CreateNetworkInterface,ec2:DescribeNetworkInterfaces,ec2:DescribeSubnets,ec2:DeleteNetworkInterface,ec2:AssignPrivateIpAddresses,ec2:UnassignPrivateIpAddresses':
    "interfaces have no name before they are made, and Lambda refuses the function's VPC without",
  'ServerlessDeploymentBucketPolicy s3:*': 'denied, where the connection is not encrypted',
};

const home = process.env.PULSEGATE_TEST_PYTHON_HOME ?? join(homedir(), '.cache/pulsegate/python');
const lint = join(home, 'bin/cfn-lint');
if (existsSync(lint)) {
  test('cfn-lint finds nothing', () => {
    for (const { file } of Object.values(packages)) {
      // osls makes the functions' permissions depend on what they refer to anyway.
      const { status, stdout, stderr } = spawnSync(lint, ['--ignore-checks', 'W3005', '--', file], {
        encoding: 'utf8',
      });
      assert.equal(status, 0, stdout + stderr);
    }
  });
} else notRun('cfn-lint over the deployment', `there is no ${lint}; infra/test-dependencies.sh installs it`);

test('the first deployment, without an image, has all but the container', () => {
  const missing = Object.keys(whole).filter((id) => !(id in first));
  const kinds = new Set(missing.map((id) => whole[id]?.Type.split('::')[1]));
  assert.deepEqual([...kinds].sort(), [
    'ApiGatewayV2',
    'ApplicationAutoScaling',
    'CloudWatch',
    'EC2',
    'ECS',
    'ElasticLoadBalancingV2',
    'IAM',
    'SecretsManager',
  ]);
  for (const id of ['ImageRepository', 'StoreTable', 'ConnectionsTable', 'UsersSecret', 'ConnectLambdaFunction'])
    assert.ok(first[id], id);
});

test('there is no container before all that it needs is named', () => {
  for (const name of ['image', 'vpcId', 'balancerSubnetIds', 'taskSubnetIds', 'balancerCertificateArn'] as const) {
    const parameter = name[0]?.toUpperCase() + name.slice(1);
    const { template } = packages.whole;
    const without = { ...template.Parameters, [parameter]: { ...template.Parameters[parameter]!, Default: '' } };
    assert.equal('Service' in resourcesOf({ ...template, Parameters: without }), false, name);
  }
});

test('nothing may do or reach more than is listed', () => {
  const found = Object.entries(whole).flatMap(([id, resource]) =>
    statementsOf(resource).flatMap(({ Action, Resource: reached, Effect }) => {
      const actions = [Action].flat();
      const isWide = [...actions, ...[reached].flat()].some((each) => each.includes('*'));
      if (Effect === 'Allow')
        assert.ok(
          actions.every((action) => !action.includes('*')),
          `${id}: ${actions}`,
        );
      return isWide ? [`${id} ${actions}`] : [];
    }),
  );
  assert.deepEqual(found.sort(), Object.keys(WILDCARDS).sort());
});

test('each function has a role of its own', () => {
  for (const name of FUNCTIONS) {
    assert.deepEqual(packages.whole.template.Resources[`${name}LambdaFunction`]?.Properties.Role, {
      'Fn::GetAtt': [`${name}Role`, 'Arn'],
    });
  }
  assert.equal('IamRoleLambdaExecution' in whole, false);
});

test('functions and container get settings that are valid, each of which is read', () => {
  for (const resources of [first, whole]) {
    for (const env of environmentsOf(resources)) {
      const read = readCommand([], env, () => null);
      assert.deepEqual(read.kind === 'refused' ? read.problems : [], []);
      for (const name of Object.keys(env).filter((each) => !OF_AWS.includes(each))) {
        const other = readCommand([], { ...env, [name]: '\u0001' }, () => null);
        assert.notDeepEqual(other, read, `${name} is set, and not read`);
      }
    }
  }
});

test('what the functions cannot do without is set', () => {
  // `gateway-functions.ts` refuses to start where one of these is missing.
  for (const env of environmentsOf(first).concat(environmentsOf(whole))) {
    for (const name of ['LOG', 'STORE', 'GATEWAY', 'AUTH']) assert.ok(env[`PULSEGATE_${name}`], name);
  }
});

test('the container has the settings of the functions, but for those that are its own', () => {
  const [container, ...functions] = environmentsOf(whole).reverse() as [Env, ...Env[]];
  const { PULSEGATE_LISTEN, PULSEGATE_KEEP_ALIVE_MAX_S, PULSEGATE_DRAIN_MS, PULSEGATE_LOG, AWS_REGION, ...common } =
    container;
  assert.equal(PULSEGATE_DRAIN_MS, '60000');
  assert.equal(AWS_REGION, 'eu-central-1');
  assert.equal(PULSEGATE_LISTEN, 'ws://0.0.0.0:8083/mqtt');
  assert.equal(PULSEGATE_LOG, WHOLE.workerPulsarUrl);
  for (const env of functions) assert.deepEqual({ ...common, PULSEGATE_LOG: WHOLE.pulsarUrl }, env);
});

test('the load balancer waits 1.5 times as long as the longest Keep Alive', () => {
  const { PULSEGATE_KEEP_ALIVE_MAX_S } = environmentsOf(whole).at(-1)!;
  const attributes = whole.Balancer?.Properties.LoadBalancerAttributes as { Key: string; Value: string }[];
  const idleS = Number(attributes.find(({ Key }) => Key === 'idle_timeout.timeout_seconds')?.Value);
  assert.ok(idleS >= 1.5 * Number(PULSEGATE_KEEP_ALIVE_MAX_S), `${idleS} s`);
  // The longest that there is.
  assert.ok(idleS <= 4_000);
});

test('one container by default, and as many as asked for', () => {
  const alone = resourcesOf(withParameter('TasksMax', '1'));
  assert.equal('ScalableService' in alone, false);
  assert.equal(alone.Service!.Properties.DesiredCount, 1);
  assert.equal(whole.ScalableService?.Properties.MaxCapacity, '4');
});

test('new containers start before the old ones stop, and have time to send their clients away; or after, where settings have to agree', () => {
  const stopping = (resources: Record<string, Resource>) => {
    const { MinimumHealthyPercent, MaximumPercent } = resources.Service!.Properties.DeploymentConfiguration as Record<
      string,
      number
    >;
    const [container] = resources.TaskDefinition!.Properties.ContainerDefinitions as { StopTimeout: number }[];
    const drainS = Number(environmentsOf(resources).at(-1)!.PULSEGATE_DRAIN_MS) / 1000;
    assert.ok(container!.StopTimeout >= drainS + STOP_MAX_S, `${drainS} s of ${container!.StopTimeout}`);
    return [MinimumHealthyPercent, MaximumPercent, drainS];
  };
  assert.deepEqual(stopping(whole), [100, 200, 60]);
  assert.deepEqual(stopping(resourcesOf(withParameter('Rollout', 'replace'))), [0, 100, 0]);
});

test('the container runs what is in its image', () => {
  const containers = whole.TaskDefinition?.Properties.ContainerDefinitions as Record<string, unknown>[];
  const commands = containers.map(
    ({ HealthCheck, Command }) => Command ?? (HealthCheck as { Command: unknown }).Command,
  ) as string[][];
  assert.deepEqual(commands, [
    ['CMD', 'node', 'health.mjs'],
    ['node', 'metrics.mjs'],
  ]);
  for (const command of commands) assert.ok(existsSync(join('infra/container', command.at(-1)!)), command.join(' '));
});

test('the routes are the three of a WebSocket API, and what $default returns goes to the client', () => {
  const routes = Object.entries(first).filter(([, { Type }]) => Type === 'AWS::ApiGatewayV2::Route');
  assert.deepEqual(routes.map(([, { Properties }]) => Properties.RouteKey).sort(), [
    '$connect',
    '$default',
    '$disconnect',
  ]);
  const answered = Object.values(first).filter(({ Type }) => Type === 'AWS::ApiGatewayV2::RouteResponse');
  const toDefault = routes.find(([, { Properties }]) => Properties.RouteKey === '$default')!;
  assert.equal(toDefault[1].Properties.RouteResponseSelectionExpression, '$default');
  assert.equal(answered.length, 1);
});

test('the API is throttled, and its access log has no query string, header or frame', () => {
  const { AccessLogSettings, DefaultRouteSettings } = first.WebsocketsDeploymentStage!.Properties as Record<
    string,
    Record<string, unknown>
  >;
  const { ThrottlingRateLimit, ThrottlingBurstLimit, DataTraceEnabled, LoggingLevel } = DefaultRouteSettings!;
  assert.ok(Number(ThrottlingRateLimit) > 0 && Number(ThrottlingBurstLimit) > 0);
  assert.deepEqual([DataTraceEnabled, LoggingLevel], [false, 'OFF']);
  const format = JSON.parse(AccessLogSettings!.Format as string) as Record<string, string>;
  for (const variable of Object.values(format))
    assert.match(variable, /^\$context\.(?!authorizer|.*(query|header|path))[\w.]+$/i);
});

test('every log is kept for a while, and no longer', () => {
  for (const [id, { Type, Properties }] of Object.entries(whole)) {
    if (Type === 'AWS::Logs::LogGroup') assert.equal(Properties.RetentionInDays, 30, id);
  }
});

test('every alarm is told to the topic, where there is one', () => {
  const alarmsOf = (resources: Record<string, Resource>) =>
    Object.values(resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
  assert.ok(alarmsOf(whole).length > alarmsOf(first).length);
  for (const { Properties } of alarmsOf(whole)) assert.deepEqual(Properties.AlarmActions, [WHOLE.alarmTopicArn]);
  for (const { Properties } of alarmsOf(first)) assert.equal(Properties.AlarmActions, undefined);
});

type Env = Record<string, string>;

/** Of the three functions and, last, of the container where there is one. */
function environmentsOf(resources: Record<string, Resource>): Env[] {
  const functions = FUNCTIONS.map(
    (name) => resources[`${name}LambdaFunction`]?.Properties.Environment as { Variables: Env },
  );
  const containers = resources.TaskDefinition?.Properties.ContainerDefinitions as
    | { Environment: { Name: string; Value: string }[] }[]
    | undefined;
  const container = containers?.[0]?.Environment.map(({ Name, Value }) => [Name, Value]);
  return [
    ...functions.map(({ Variables }) => Variables),
    ...(container === undefined ? [] : [Object.fromEntries(container)]),
  ];
}

function statementsOf({
  Properties,
}: Resource): { Action: string | string[]; Resource: string | string[]; Effect: string }[] {
  const { Policies = [], PolicyDocument } = Properties as {
    Policies?: { PolicyDocument: unknown }[];
    PolicyDocument?: unknown;
  };
  const documents = [PolicyDocument, ...Policies.map((policy) => policy.PolicyDocument)];
  return documents.flatMap((document) => (document as { Statement: [] } | undefined)?.Statement ?? []);
}

function withParameter(name: string, value: string) {
  const { template } = packages.whole;
  return {
    ...template,
    Parameters: { ...template.Parameters, [name]: { ...template.Parameters[name]!, Default: value } },
  };
}
