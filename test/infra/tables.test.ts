import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { connectionsTableName, TABLE, TTL_ATTRIBUTE, tableName } from '../../functions/adapters/dynamodb/keys.js';

/** CloudFormation's short forms as their long ones: `!Ref X` is `{ Ref: X }`, `!Sub` and `!GetAtt` are `Fn::…`. */
const SHORT_FORMS = ['Ref', 'Sub', 'GetAtt'].map((name) => ({
  tag: `!${name}`,
  resolve: (text: string) => ({ [name === 'Ref' ? name : `Fn::${name}`]: text }),
}));

interface Template {
  Parameters: Record<string, { Default: string; AllowedPattern: string }>;
  Resources: Record<string, Record<string, unknown> & { Properties: Record<string, unknown> }>;
}

const text = readFileSync('infra/tables.yml', 'utf8');
const template = parse(text, { customTags: SHORT_FORMS }) as Template;
const table = template.Resources.StoreTable!;
const connections = template.Resources.ConnectionsTable!;

test('infra deploys the two tables that the key design names', () => {
  assert.deepEqual(Object.keys(template.Resources), ['StoreTable', 'ConnectionsTable']);
  for (const { Type, Properties } of [table, connections]) {
    assert.equal(Type, 'AWS::DynamoDB::Table');
    const { AttributeDefinitions, KeySchema, BillingMode } = Properties;
    assert.deepEqual({ AttributeDefinitions, KeySchema, BillingMode }, TABLE);
    assert.equal('GlobalSecondaryIndexes' in Properties, false);
  }
});

test('rows expire by the attribute that the store writes', () => {
  for (const { Properties } of [table, connections]) {
    assert.deepEqual(Properties.TimeToLiveSpecification, { AttributeName: TTL_ATTRIBUTE, Enabled: true });
  }
});

test('the tables are called as the store calls them, by the same default prefix', () => {
  const nameOf = ({ Properties }: { Properties: Record<string, unknown> }) =>
    (Properties.TableName as { 'Fn::Sub': string })['Fn::Sub'].replace(`\${StorePrefix}`, 'any');
  assert.equal(nameOf(table), tableName('any'));
  assert.equal(nameOf(connections), connectionsTableName('any'));
  assert.equal(template.Parameters.StorePrefix?.Default, 'pulsegate');
});

test('connections are not backed up, and go with their stack', () => {
  assert.equal(connections.DeletionPolicy, 'Delete');
  assert.deepEqual(connections.Properties.PointInTimeRecoverySpecification, { PointInTimeRecoveryEnabled: false });
});

test('the table outlives its stack, and a mistake', () => {
  assert.equal(table.DeletionPolicy, 'Retain');
  assert.equal(table.UpdateReplacePolicy, 'Retain');
  assert.equal(table.Properties.DeletionProtectionEnabled, true);
  assert.deepEqual(table.Properties.PointInTimeRecoverySpecification, { PointInTimeRecoveryEnabled: true });
});

test('the compose file starts the DynamoDB Local of the tests, where its comment says', () => {
  const compose = readFileSync('infra/compose.yaml', 'utf8');
  const version = /VERSION = '([\d.]+)'/.exec(readFileSync('infra/fetch-dynamodb.mjs', 'utf8'))?.[1];
  const { dynamodb } = parse(compose).services;
  assert.equal(dynamodb.image, `amazon/dynamodb-local:${version}`);
  const port = /^127\.0\.0\.1:(\d+):8000$/.exec(dynamodb.ports[0])?.[1];
  assert.ok(compose.includes(`PULSEGATE_TEST_DYNAMODB=http://127.0.0.1:${port} `));
  // Without these another region or access key would see other tables.
  assert.ok(dynamodb.command.includes('-sharedDb'));
});
