import { sharedService } from './shared-service.js';

export interface Pulsar {
  /** `http://host:port`: REST and WebSocket API. */
  web: string;
  /** `pulsar://host:port`. */
  broker: string;
}

/**
 * A real Pulsar, one for all test files of a run. With `PULSEGATE_TEST_PULSAR=http://host:8080`, that one. A text says why
 * there is none.
 */
export async function startPulsar(): Promise<Pulsar | string> {
  const running = process.env.PULSEGATE_TEST_PULSAR;
  return running === undefined ? sharedService<Pulsar>('pulsar') : runningPulsar(running);
}

async function runningPulsar(web: string): Promise<Pulsar> {
  const answer = await fetch(`${web}/lookup/v2/topic/persistent/public/default/any`);
  const { brokerUrl } = (await answer.json()) as { brokerUrl: string };
  return { web, broker: brokerUrl };
}
