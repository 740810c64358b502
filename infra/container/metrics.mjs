// Beside the program: writes the few numbers that scaling and alarms need as one line a minute, of which CloudWatch makes metrics
// (embedded metric format). All others are at /metrics.
const { METRICS_DEPLOYMENT: deployment = 'pulsegate', METRICS_URL: url = 'http://127.0.0.1:8083/metrics' } =
  process.env;
const EVERY_MS = 60_000;
const ANSWER_MAX_MS = 10_000;
const METRICS = [
  { Name: 'Connections', Unit: 'Count', page: 'pulsegate_connections' },
  { Name: 'BacklogAge', Unit: 'Milliseconds', page: 'pulsegate_backlog_age_ms' },
];

await tell();
setInterval(tell, EVERY_MS);
process.on('SIGTERM', () => process.exit(0));

async function tell() {
  try {
    const page = await (await fetch(url, { signal: AbortSignal.timeout(ANSWER_MAX_MS) })).text();
    const values = METRICS.map(({ Name, page: name }) => [Name, numberIn(page, name)]);
    const Metrics = METRICS.map(({ Name, Unit }) => ({ Name, Unit }));
    const CloudWatchMetrics = [{ Namespace: 'Pulsegate', Dimensions: [['deployment']], Metrics }];
    const line = { _aws: { Timestamp: Date.now(), CloudWatchMetrics }, deployment, ...Object.fromEntries(values) };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  } catch (error) {
    // While the program starts or stops; what is never told, an alarm misses.
    process.stderr.write(`no metrics: ${error}\n`);
  }
}

function numberIn(page, name) {
  const text = new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1];
  if (text === undefined) throw new Error(`/metrics has no ${name}`);
  return Number(text);
}
