import { remoteServices, remoteSettings } from '../support/backing.js';
import { type GatewayEdge, type GatewayOptions, startGatewayEdge } from '../support/behind-gateway.js';
import { bePatient } from '../support/patience.js';
import { Program } from '../support/program.js';
import type { Scope } from '../support/waiting.js';

bePatient();
export const services = await remoteServices('websocket');

export type DeployOptions = GatewayOptions & {
  settings?: Readonly<Record<string, string>>;
  /** Where DynamoDB is reached. */
  storeEndpoint?: string;
};

/** The three functions behind the gateway, and a worker, on Pulsar and DynamoDB. */
export interface Deployment extends GatewayEdge {
  worker: Program;
  url: string;
}

export async function deploy(
  scope: Scope,
  { settings = {}, storeEndpoint = services.dynamo.endpoint, ...options }: DeployOptions = {},
): Promise<Deployment> {
  const edge = await startGatewayEdge(
    scope,
    {
      ...(await remoteSettings({ ...services, dynamo: { ...services.dynamo, endpoint: storeEndpoint } }, 'websocket')),
      ...settings,
    },
    options,
  );
  const worker = await Program.start(scope, edge.settings);
  return { ...edge, worker, url: edge.gateway.url };
}
