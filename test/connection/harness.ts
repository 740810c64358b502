import assert from 'node:assert/strict';
import type { Claim, Effect } from '../../functions/connection/effects.js';
import type { Input } from '../../functions/connection/inputs.js';
import { type ConnectionState, connectionDeadline, initialConnection } from '../../functions/connection/state.js';
import { step } from '../../functions/connection/step.js';
import type { Level } from '../../functions/mqtt/packets.js';
import { fromSnapshot, toSnapshot } from '../../functions/mqtt/snapshot.js';
import type { Admission } from '../../functions/ports/authenticator.js';
import type { PortErrorCode } from '../../functions/ports/errors.js';
import type { CloseReason } from '../../functions/ports/peer.js';
import { keepConnection, restoreConnection } from '../../functions/runtime/kept-connection.js';
import type { Play } from '../support/transcript.js';
import { clientBytes, levelOf } from '../support/wire.js';
import { toNumber, type Words } from '../support/words.js';
import { effectLine } from './effect-line.js';

const LIMITS = {
  packetMaxBytes: 1_000,
  receiveMaximum: 65_535,
  appendsMax: 100,
  appendsMaxBytes: 10_000,
  connectTimeoutMs: 5_000,
  keepAliveMaxS: 0,
  sessionExpiryMaxS: 0xffff_ffff,
  topicAliasMaximum: 0,
} satisfies ConnectionState['limits'];

/** Whose verdict a command stands for. */
const VERDICTS = {
  refused: 'refused',
  'not-authorized': 'not-authorized',
  'authenticator-down': 'unavailable',
} as const;

/** Plays one connection. Its state is kept and restored before every input, as the gateway edge does it. */
export function openConnection(): Play {
  let now = 1_000;
  let state = initialConnection({ limits: { ...LIMITS }, spareClientId: 'spare' }, now);
  let level: Level = 4;
  let claim: Claim | null = null;
  /** Bytes of appends under way, by `qos reference`; those of QoS 0 have no reference of their own. */
  const appends = new Map<string, number[]>();

  const feed = (input: Input): string[] => {
    state = restoreConnection(fromSnapshot(toSnapshot(keepConnection(state))), state.limits);
    const effects = step(state, fromSnapshot<Input>(toSnapshot(input)), now);
    for (const effect of effects) note(effect);
    return effects.map((effect) => effectLine(effect, state.level ?? level));
  };

  const note = (effect: Effect): void => {
    if (effect.type === 'claim') claim = effect.claim;
    if (effect.type !== 'append') return;
    const key = `${effect.qos} ${effect.reference}`;
    appends.set(key, [...(appends.get(key) ?? []), effect.bytes]);
  };

  const appended = (words: Words) => {
    const qos = (words.numbered('qos') ?? 0) as 0 | 1 | 2;
    const reference = words.numbered('#') ?? 0;
    const bytes = appends.get(`${qos} ${reference}`)?.shift();
    assert.ok(bytes !== undefined, `no append of QoS ${qos} #${reference} is under way`);
    return { qos, reference, bytes };
  };

  const referenceOf = (words: Words): number => words.numbered('#') ?? assert.fail('no reference');

  return (command, words) => {
    switch (command) {
      case 'given':
        for (const name of Object.keys(LIMITS) as (keyof typeof LIMITS)[])
          state.limits[name] = words.number(name) ?? state.limits[name];
        state.token = words.option('token') ?? null;
        return null;
      case 'open': {
        // Everything up to the CONNACK, where that is not what the transcript is about.
        const connectionNumber = words.number('number') ?? 10;
        const generation = words.number('generation') ?? connectionNumber;
        const sessionPresent = words.flag('present');
        level = levelOf(words) ?? level;
        const admission = admissionOf(words);
        feed({ type: 'bytes-received', bytes: clientBytes(words, level, 'connect') });
        feed({ type: 'authenticated', verdict: 'admitted', ...admission });
        feed({ type: 'claimed', connectionNumber, generation, sessionPresent, will: null, leftWills: [] });
        assert.equal(state.phase, 'connected');
        return null;
      }
      case 'receive': {
        const packets = words.split('+').map((packet) => {
          level = levelOf(packet) ?? level;
          return clientBytes(packet, level);
        });
        return feed({ type: 'bytes-received', bytes: Buffer.concat(packets) });
      }
      case 'receive-hex': {
        const bytes: string[] = [];
        while (!words.isEmpty) bytes.push(words.next());
        return feed({ type: 'bytes-received', bytes: Buffer.from(bytes.join(''), 'hex') });
      }
      case 'admitted':
        return feed({ type: 'authenticated', verdict: 'admitted', ...admissionOf(words) });
      case 'refused':
      case 'not-authorized':
      case 'authenticator-down':
        return feed({ type: 'authenticated', verdict: VERDICTS[command] });
      case 'claimed': {
        const connectionNumber = words.number('number') ?? 10;
        const will = claim?.will ? { ...claim.will, connectionNumber } : null;
        const sessionPresent = words.flag('present');
        const generation = words.number('generation') ?? connectionNumber;
        return feed({ type: 'claimed', connectionNumber, generation, sessionPresent, will, leftWills: [] });
      }
      case 'claim-failed':
        return feed({ type: 'claim-failed', code: words.next() as PortErrorCode });
      case 'appended':
        return feed({ type: 'appended', ...appended(words) });
      case 'append-failed':
        return feed({ type: 'append-failed', ...appended(words), code: words.next() as PortErrorCode });
      case 'inbound-begun': {
        const token = words.option('existing');
        const begunAtMs = words.number('begun-at') ?? 0;
        const existing = token === undefined ? null : { token, begunAtMs };
        return feed({ type: 'inbound-begun', reference: referenceOf(words), existing });
      }
      case 'append-resolved': {
        const found = words.oneOf('found', 'not-found') ?? assert.fail('found or not-found?');
        return feed({ type: 'append-resolved', reference: referenceOf(words), found: found === 'found' });
      }
      case 'inbound-ended': {
        const existed = !words.flag('missing');
        return feed({ type: 'inbound-ended', packetId: toNumber(words.next()), existed });
      }
      case 'inbound-dropped':
        return feed({ type: 'inbound-dropped', reference: referenceOf(words) });
      case 'inbound-failed':
        return feed({ type: 'inbound-failed', code: words.next() as PortErrorCode });
      case 'peer-refused': {
        const reason = words.next() as Extract<CloseReason, 'unsupported-data' | 'too-big' | 'protocol-error'>;
        return feed({ type: 'peer-refused', reason, text: reason });
      }
      case 'peer-closed':
      case 'taken-over':
      case 'shutting-down':
        return feed({ type: command });
      case 'pass':
        now += words.duration();
        return null;
      case 'tick':
        now += words.duration();
        return feed({ type: 'ticked' });
      case 'deadline': {
        const deadline = connectionDeadline(state);
        return [deadline === null ? 'none' : `in ${deadline - now}ms`];
      }
      default:
        return assert.fail(`no command is called ${command}`);
    }
  };
}

/** What an authenticator says of somebody whom it admits. */
function admissionOf(words: Words): Partial<Admission> {
  const expiresAtMs = words.number('expires-at');
  const [publish, subscribe] = [words.option('may-publish'), words.option('may-subscribe')];
  const isBound = publish !== undefined || subscribe !== undefined;
  const permissions = { publish: publish?.split(',') ?? [], subscribe: subscribe?.split(',') ?? [] };
  return { ...(expiresAtMs !== undefined && { expiresAtMs }), ...(isBound && { permissions }) };
}
