import type { PulsarSettings } from './options.js';
import type { BrokerSettings, NamespacePolicies, WebService } from './web-service.js';

export interface Finding {
  level: 'warn' | 'info';
  code: string;
  problem: string;
  /** The command that mends it. */
  remedy: string;
}

/**
 * Says once what the policies of the namespaces would take from a feature. Never rejects: reading them takes more rights than
 * anything else that is asked of Pulsar.
 */
export async function sayPolicies(web: WebService, settings: PulsarSettings): Promise<void> {
  const broker = await web.brokerSettings();
  for (const namespace of new Set([settings.namespace, ...settings.namespaces])) {
    const policies = await web.policies(namespace);
    if (policies === null) {
      const problem = 'its policies may not be read with this token, so what they trim is not known';
      settings.tell('info', 'pulsar-policies-unread', { namespace, problem });
      continue;
    }
    for (const { level, ...finding } of findingsOf(namespace, policies, broker)) {
      settings.tell(level, 'pulsar-policy', { namespace, ...finding });
    }
  }
}

export function findingsOf(namespace: string, policies: NamespacePolicies, broker: BrokerSettings): Finding[] {
  const admin = (command: string) => `pulsar-admin namespaces ${command}`;
  const findings: Finding[] = [];
  if (!isRetained(policies, broker)) {
    findings.push({
      level: 'warn',
      code: 'no-retention',
      problem:
        'without retention Pulsar drops what every subscription has acknowledged, and a topic that nobody reads: replay finds little, and a QoS 2 publication in doubt may be appended again',
      remedy: admin(`set-retention ${namespace} --time 1d --size 10G`),
    });
  }
  const ttlS = policies.message_ttl_in_seconds ?? Number(broker.ttlDurationDefaultInSeconds ?? 0);
  if (ttlS > 0) {
    findings.push({
      level: 'warn',
      code: 'message-ttl',
      problem: `messages live for ${ttlS} s: what is not handed out by then, while nobody is there to do it, is lost where retention does not keep it`,
      remedy: admin(`set-message-ttl ${namespace} --messageTTL 0`),
    });
  }
  const expiryMinutes =
    policies.subscription_expiration_time_minutes ?? Number(broker.subscriptionExpirationTimeMinutes ?? 0);
  if (expiryMinutes > 0) {
    findings.push({
      level: 'warn',
      code: 'subscription-expiry',
      problem: `a subscription that nobody was connected to for ${expiryMinutes} min is removed: what is not handed out by then is lost where retention does not keep it. Over the WebSocket API nobody is ever connected to ours`,
      remedy: admin(`set-subscription-expiration-time ${namespace} --time 0`),
    });
  }
  const quota = quotaPolicyOf(policies, broker);
  if (quota !== null && quota !== 'producer_exception') {
    findings.push({
      level: quota === 'consumer_backlog_eviction' ? 'warn' : 'info',
      code: 'backlog-quota',
      problem:
        quota === 'consumer_backlog_eviction'
          ? 'a backlog over its quota is dropped: what is not handed out by then is lost'
          : 'with a backlog over its quota publications hang until their deadline, and then are in doubt (0x83); producer_exception refuses them at once (0x97)',
      remedy: admin(`set-backlog-quota ${namespace} --limit 5G --policy producer_exception`),
    });
  }
  const mayMake =
    policies.autoTopicCreationOverride?.allowAutoTopicCreation ?? broker.allowAutoTopicCreation !== 'false';
  if (!mayMake) {
    findings.push({
      level: 'warn',
      code: 'no-auto-creation',
      problem: 'topics are not made by being used: publishing to one that is not there is refused (0x87)',
      remedy: admin(`set-auto-topic-creation ${namespace} --enable --type partitioned --num-partitions 8`),
    });
  }
  if (!(policies.deduplicationEnabled ?? broker.brokerDeduplicationEnabled === 'true')) {
    findings.push({
      level: 'info',
      code: 'no-deduplication',
      problem:
        'after a broker is lost the topics may hold a publication twice; MQTT subscribers get QoS 2 once all the same',
      remedy: admin(`set-deduplication ${namespace} --enable`),
    });
  }
  return findings;
}

/** A time or size of 0 is none; -1 is without end. */
function isRetained({ retention_policies: own }: NamespacePolicies, broker: BrokerSettings): boolean {
  const minutes = own?.retentionTimeInMinutes ?? Number(broker.defaultRetentionTimeInMinutes ?? 0);
  const megabytes = own?.retentionSizeInMB ?? Number(broker.defaultRetentionSizeInMB ?? 0);
  return minutes !== 0 && megabytes !== 0;
}

/** null: there is no quota. What the namespace does not say the broker does, where it has a limit. */
function quotaPolicyOf({ backlog_quota_map: quotas }: NamespacePolicies, broker: BrokerSettings): string | null {
  const own = Object.values(quotas ?? {}).map(({ policy }) => policy);
  if (own.length > 0) return own.find((policy) => policy === 'consumer_backlog_eviction') ?? own[0] ?? null;
  const limits = [broker.backlogQuotaDefaultLimitBytes, broker.backlogQuotaDefaultLimitSecond];
  return limits.some((limit) => Number(limit ?? -1) > 0) ? (broker.backlogQuotaDefaultRetentionPolicy ?? null) : null;
}
