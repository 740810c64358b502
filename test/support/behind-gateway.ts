import type { IClientOptions } from 'mqtt';
import { WebSocket } from 'ws';
import { createWebsocketWith } from '../../functions/client/index.js';
import { ApiGatewayDouble, type ApiGatewayOptions, type FunctionName } from '../doubles/api-gateway.js';
import { LambdaDouble } from '../doubles/lambda.js';
import { BACKING } from './patience.js';
import type { Scope } from './waiting.js';

export type GatewayOptions = Omit<ApiGatewayOptions, 'invoke'> & {
  /** Whether functions keep nothing in memory between two events. */
  forgets?: boolean;
};

/** The three functions behind API Gateway. */
export interface GatewayEdge {
  gateway: ApiGatewayDouble;
  functions: Readonly<Record<FunctionName, LambdaDouble>>;
  /** What functions and worker share. */
  settings: Readonly<Record<string, string>>;
}

/** For MQTT.js in Node. */
export const THROUGH_GATEWAY: IClientOptions = { createWebsocket: createWebsocketWith({ WebSocket }) };

/** As all clients of a test go, where the backing is `gateway`. */
export const BY_BACKING: IClientOptions = BACKING === 'gateway' ? THROUGH_GATEWAY : {};

/** The settings are those of log, store and limits. */
export async function startGatewayEdge(
  scope: Scope,
  settings: Readonly<Record<string, string>>,
  { forgets = false, ...options }: GatewayOptions = {},
): Promise<GatewayEdge> {
  const made: { functions?: GatewayEdge['functions'] } = {};
  const gateway = await ApiGatewayDouble.start({
    ...options,
    invoke: async (name, event) => {
      if (made.functions === undefined) throw new Error('there are no functions yet');
      return made.functions[name].invoke(event);
    },
  });
  const shared = { ...settings, PULSEGATE_GATEWAY: gateway.endpoint, AWS_REGION: 'eu-central-1' };
  const functionOf = (name: FunctionName) =>
    new LambdaDouble({ name: `ws-${name}`, env: { PULSEGATE_AUTH: 'anonymous', ...shared }, forgets });
  const functions = {
    connect: functionOf('connect'),
    message: functionOf('message'),
    disconnect: functionOf('disconnect'),
  };
  made.functions = functions;
  scope.after(async () => {
    await gateway.stop();
    for (const one of Object.values(functions)) await one.stop();
  });
  return { gateway, functions, settings: shared };
}
