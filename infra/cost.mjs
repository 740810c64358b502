// What a deployment costs in US dollars, at list prices, beside AWS IoT Core. docs/DEPLOY.md has what this prints; a test compares them.
//   node infra/cost.mjs                        at the prices and counts below
//   node infra/cost.mjs gatewayMessages=1.14   at others: any name below
const FIGURES = {
  // List prices of us-east-1, dollars, without the first year's free tier. Of a million, where nothing else is said.
  gatewayMessages: 1,
  gatewayMinutes: 0.25,
  invocations: 0.2,
  /** A million gigabyte-seconds, arm64. */
  functionGBs: 13.3334,
  readUnits: 0.125,
  writeUnits: 0.625,
  /** A gigabyte taken in. */
  logsGB: 0.5,
  /** An hour of a virtual CPU and of a gigabyte, Fargate on arm64. */
  fargateCpuH: 0.03238,
  fargateGBh: 0.00356,
  balancerH: 0.0225,
  /** An hour of a capacity unit: 3,000 connections. */
  balancerUnitH: 0.008,
  iotMessages: 1,
  iotMinutes: 0.08,
  /** A rule that is triggered, with one action: the way from IoT Core to anywhere else. */
  iotRules: 0.3,

  // Counts. A frame is 1 invocation, 1 read and 1 write; its answer is a frame, too.
  frameInvocations: 1,
  frameReadUnits: 1,
  /** A connection's row has less than a kilobyte. */
  frameWriteUnits: 1,
  /** Billed milliseconds of a frame, of which the most is waiting for Pulsar and DynamoDB. An estimate: measure your own. */
  frameMs: 25,
  functionGB: 1,
  /** A line of API Gateway's, and Lambda's own three. */
  frameLogKB: 0.65,
  /** Every 9 minutes. */
  heartbeatMin: 9,
  /** Before API Gateway's two hours are over: $connect, the first frame, which moves the row in a transaction, $disconnect. */
  renewalMin: 115,
  renewalInvocations: 3,
  renewalReadUnits: 4,
  renewalWriteUnits: 7,
  /** Of 30 days. */
  monthMin: 43_200,
  taskCpu: 1,
  taskGB: 2,
};

const MILLION = 1_000_000;
const IDLE_CLIENTS = 10_000;
const CONNECTIONS_A_UNIT = 3_000;

for (const word of process.argv.slice(2)) {
  const [name, value] = word.split('=');
  if (!Object.hasOwn(FIGURES, name) || !(Number(value) >= 0)) {
    console.error(`${word} is not NAME=NUMBER; names: ${Object.keys(FIGURES).join(', ')}`);
    process.exit(1);
  }
  FIGURES[name] = Number(value);
}
process.stdout.write(page(FIGURES));

function page(figures) {
  const frame = costOfFrames(figures, MILLION);
  const idle = costOfIdle(figures);
  const { iotMessages, iotRules, iotMinutes, gatewayMessages, monthMin } = figures;
  const posts = { 'API Gateway': gatewayMessages };
  const fixed = costOfContainer(figures);
  return `| a million … | API Gateway and functions | socket edge | AWS IoT Core |
| --- | --- | --- | --- |
| publications QoS 1, each in a frame of its own | ${total(frame)} | – | ${dollars(iotMessages)}, into something else ${dollars(iotMessages + iotRules)} |
| the same, ten in a frame | ${dollars(sum(frame) / 10)} | – | the same |
| deliveries QoS 0, each in a frame of its own | ${total(posts)} | – | ${dollars(iotMessages)} |
| deliveries QoS 1, and their PUBACKs | ${dollars(sum(posts) + sum(frame))} | – | ${dollars(2 * iotMessages)} |

| a month … | API Gateway and functions | socket edge | AWS IoT Core |
| --- | --- | --- | --- |
| 10,000 idle clients | ${total(idle)} | ${total(balancerUnits(figures))} | ${dollars((IDLE_CLIENTS * monthMin * iotMinutes) / MILLION)} |
| the container, whatever it does | ${total(fixed.task)} | that and ${total(fixed.balancer)} | – |
`;
}

/** By part of the bill. */
function costOfFrames(figures, frames) {
  const { gatewayMessages, invocations, functionGBs, readUnits, writeUnits, logsGB } = figures;
  const { frameInvocations, frameReadUnits, frameWriteUnits, frameMs, functionGB, frameLogKB } = figures;
  const millions = frames / MILLION;
  return {
    'API Gateway': millions * 2 * gatewayMessages,
    Lambda: millions * frameInvocations * (invocations + (frameMs / 1_000) * functionGB * functionGBs),
    DynamoDB: millions * (frameReadUnits * readUnits + frameWriteUnits * writeUnits),
    // A million times a kilobyte is a gigabyte.
    logs: millions * frameLogKB * logsGB,
  };
}

function costOfIdle(figures) {
  const { monthMin, heartbeatMin, renewalMin, gatewayMinutes, invocations, functionGBs, functionGB, frameMs } = figures;
  const { readUnits, writeUnits, renewalInvocations, renewalReadUnits, renewalWriteUnits } = figures;
  const minutes = IDLE_CLIENTS * monthMin;
  const renewals = minutes / renewalMin / MILLION;
  const perInvocation = invocations + (frameMs / 1_000) * functionGB * functionGBs;
  return {
    'connection minutes': (minutes / MILLION) * gatewayMinutes,
    heartbeats: sum(costOfFrames(figures, minutes / heartbeatMin)),
    'a new connection every two hours':
      renewals * (renewalInvocations * perInvocation + renewalReadUnits * readUnits + renewalWriteUnits * writeUnits),
  };
}

function balancerUnits({ balancerUnitH, monthMin }) {
  return { 'load balancer': (IDLE_CLIENTS / CONNECTIONS_A_UNIT) * balancerUnitH * (monthMin / 60) };
}

function costOfContainer({ fargateCpuH, fargateGBh, taskCpu, taskGB, balancerH, monthMin }) {
  const hours = monthMin / 60;
  return {
    task: { Fargate: hours * (taskCpu * fargateCpuH + taskGB * fargateGBh) },
    balancer: { 'load balancer': hours * balancerH },
  };
}

function total(parts) {
  const names = Object.entries(parts);
  if (names.length === 1) return `${dollars(names[0][1])} (${names[0][0]})`;
  return `${dollars(sum(parts))} (${names.map(([name, cost]) => `${name} ${dollars(cost)}`).join(', ')})`;
}

function sum(parts) {
  return Object.values(parts).reduce((left, right) => left + right, 0);
}

function dollars(amount) {
  return `$${amount.toFixed(2)}`;
}
