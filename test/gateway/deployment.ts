import type { IClientOptions } from 'mqtt';
import { WebSocket } from 'ws';
import { createWebsocketWith } from '../../functions/client/index.js';
import { ApiGatewayDouble, type ApiGatewayOptions } from '../doubles/api-gateway.js';
import { LambdaDouble } from '../doubles/lambda.js';
import { remoteServices, remoteSettings } from '../support/backing.js';
import { Program } from '../support/program.js';
import type { Scope } from '../support/waiting.js';

const services = await remoteServices('websocket');

export type DeploymentOptions = Omit<ApiGatewayOptions, 'invoke'> & {
  settings?: Readonly<Record<string, string>>;
  /** Whether functions keep nothing in memory between two events. */
  forgets?: boolean;
};

/** The three functions behind the gateway, and a worker, on Pulsar and DynamoDB. */
export class Deployment {
  readonly gateway: ApiGatewayDouble;
  readonly worker: Program;
  readonly functions: Readonly<Record<'connect' | 'message' | 'disconnect', LambdaDouble>>;

  static async start(scope: Scope, options: DeploymentOptions = {}): Promise<Deployment> {
    const { settings: more, forgets = false, ...gatewayOptions } = options;
    const made: { functions?: Deployment['functions'] } = {};
    const gateway = await ApiGatewayDouble.start({
      ...gatewayOptions,
      invoke: async (name, event) => {
        if (made.functions === undefined) throw new Error('there are no functions yet');
        return made.functions[name].invoke(event);
      },
    });
    const settings = {
      ...(await remoteSettings(services, 'websocket')),
      PULSEGATE_GATEWAY: gateway.endpoint,
      AWS_REGION: 'eu-central-1',
      ...more,
    };
    const functionOf = (name: string) =>
      new LambdaDouble({ name, env: { ...settings, PULSEGATE_AUTH: 'anonymous' }, forgets });
    const functions = {
      connect: functionOf('ws-connect'),
      message: functionOf('ws-message'),
      disconnect: functionOf('ws-disconnect'),
    };
    made.functions = functions;
    scope.after(async () => {
      await gateway.stop();
      for (const one of Object.values(functions)) await one.stop();
    });
    const worker = await Program.start(scope, settings);
    return new Deployment(gateway, worker, functions);
  }

  private constructor(gateway: ApiGatewayDouble, worker: Program, functions: Deployment['functions']) {
    this.gateway = gateway;
    this.worker = worker;
    this.functions = functions;
  }

  get url(): string {
    return this.gateway.url;
  }
}

/** Whoever asks for a socket of the platform in a process gets that everywhere, and Node 20 has none. */
export const ON_SOCKET: IClientOptions = {
  forceNativeWebSocket: true,
  createWebsocket: (url: string, protocols: string[]) => new WebSocket(url, protocols),
};

/** For MQTT.js in Node. */
export const THROUGH_GATEWAY: IClientOptions = {
  forceNativeWebSocket: true,
  createWebsocket: createWebsocketWith({ WebSocket }),
};
