import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { TABLE, TTL_ATTRIBUTE, tableName } from '../../functions/adapters/dynamodb/keys.js';

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

test('infra deploys the one table that the key design names', () => {
  assert.deepEqual(Object.keys(template.Resources), ['StoreTable']);
  assert.equal(table.Type, 'AWS::DynamoDB::Table');
  const { AttributeDefinitions, KeySchema, BillingMode } = table.Properties;
  assert.deepEqual({ AttributeDefinitions, KeySchema, BillingMode }, TABLE);
  assert.equal('GlobalSecondaryIndexes' in table.Properties, false);
});

test('rows expire by the attribute that the store writes', () => {
  assert.deepEqual(table.Properties.TimeToLiveSpecification, { AttributeName: TTL_ATTRIBUTE, Enabled: true });
});

test('the table is called as the store calls it, by the same default prefix', () => {
  const { 'Fn::Sub': name } = table.Properties.TableName as { 'Fn::Sub': string };
  assert.equal(name.replace(`\${StorePrefix}`, 'any'), tableName('any'));
  assert.equal(template.Parameters.StorePrefix?.Default, 'pulsegate');
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
