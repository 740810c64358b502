import type { Page } from '../adapters/socket/websocket-listener.js';
import type { SystemFacts } from '../runtime/system-topics.js';

/**
 * For an orchestrator, a load balancer and a monitor. `/healthz`: the process lives. `/readyz`: clients may come; 503 where
 * `problem` says why not. `/metrics`: all that is counted, in Prometheus' text format.
 */
export function pagesOf(problem: () => string | null, facts: () => SystemFacts): (path: string) => Page | null {
  return (path) => {
    switch (path) {
      case '/healthz':
        return { status: 200, text: 'alive\n' };
      case '/readyz': {
        const why = problem();
        return why === null ? { status: 200, text: 'ready\n' } : { status: 503, text: `not ready: ${why}\n` };
      }
      case '/metrics':
        return { status: 200, text: metricsText(facts()) };
      default:
        return null;
    }
  };
}

function metricsText({ version, connections, sessions, subscriptions, backlogAgeMs, counters }: SystemFacts): string {
  const now = { connections, sessions, subscriptions, backlog_age_ms: backlogAgeMs };
  const gauges = Object.entries(now).map(([name, value]) => metric(`pulsegate_${name}`, 'gauge', value));
  const totals = Object.entries(counters).map(([name, value]) =>
    metric(`pulsegate_${name.replaceAll('-', '_')}_total`, 'counter', value),
  );
  const info = metric('pulsegate_info', 'gauge', 1, `{version="${version}"}`);
  return [info, ...gauges, ...totals.sort()].join('');
}

function metric(name: string, type: 'gauge' | 'counter', value: number, labels = ''): string {
  return `# TYPE ${name} ${type}\n${name}${labels} ${value}\n`;
}
