/** CloudFormation's template, as far as it is looked at here. */
export interface Template {
  Parameters: Record<string, { Type: string; Default?: string | number }>;
  Conditions: Record<string, unknown>;
  Resources: Record<string, Resource>;
  Outputs: Record<string, { Value: unknown }>;
}

export interface Resource {
  Type: string;
  Condition?: string;
  DependsOn?: string | string[];
  Properties: Record<string, unknown>;
}

const PSEUDO: Readonly<Record<string, unknown>> = {
  'AWS::NoValue': undefined,
  'AWS::Region': 'eu-central-1',
  'AWS::AccountId': '123456789012',
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** The resources that CloudFormation would make, with every function of its language worked out. Names that AWS would choose are made up. */
export function resourcesOf(template: Template): Record<string, Resource> {
  const { Parameters, Conditions, Resources } = template;
  const isGiven = ({ Condition }: Resource) => Condition === undefined || holds({ Condition });
  return Object.fromEntries(
    Object.entries(Resources)
      .filter(([, resource]) => isGiven(resource))
      .map(([id, resource]) => [
        id,
        { ...resource, Properties: workedOut(resource.Properties) as Resource['Properties'] },
      ]),
  );

  function workedOut(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(workedOut).filter((each) => each !== undefined);
    if (typeof value !== 'object' || value === null) return value;
    const [[name, argument] = ['', undefined], ...others] = Object.entries(value);
    if (others.length === 0 && (name === 'Ref' || name.startsWith('Fn::'))) return called(name, argument);
    const entries = Object.entries(value).map(([key, each]) => [key, workedOut(each)]);
    return Object.fromEntries(entries.filter(([, each]) => each !== undefined));
  }

  function called(name: string, argument: unknown): unknown {
    switch (name) {
      case 'Ref':
        return referred(argument as string);
      case 'Fn::GetAtt': {
        const [id, attribute] = argument as [string, string];
        return attributeOf(id, attribute);
      }
      case 'Fn::Sub':
        return (argument as string).replace(/\$\{([\w:.]+)\}/g, (_, id: string) => String(referred(id)));
      case 'Fn::Join': {
        const [separator, parts] = argument as [string, unknown];
        return (workedOut(parts) as string[]).join(separator);
      }
      case 'Fn::If': {
        const [condition, yes, no] = argument as [string, unknown, unknown];
        return workedOut(holds({ Condition: condition }) ? yes : no);
      }
      default:
        throw new Error(`${name} is not known here`);
    }
  }

  function attributeOf(id: string, attribute: string): string {
    there(id);
    return attribute === 'Arn' ? arnOf(id) : `${id}.${attribute}`;
  }

  /** Of `Ref`, or in `Sub`. */
  function referred(id: string): unknown {
    if (id in PSEUDO) return PSEUDO[id];
    const [, owner, attribute] = /^(\w+)\.(.+)$/.exec(id) ?? [];
    if (owner !== undefined && attribute !== undefined) return attributeOf(owner, attribute);
    const parameter = Parameters[id];
    if (parameter === undefined) {
      there(id);
      return id === 'WebsocketsApi' ? 'a1b2c3d4e5' : arnOf(id);
    }
    const text = String(parameter.Default);
    return parameter.Type === 'CommaDelimitedList' ? text.split(',') : text;
  }

  function holds(condition: unknown): boolean {
    const [[name, argument] = ['', undefined]] = Object.entries(condition as object);
    switch (name) {
      case 'Condition':
        return holds(Conditions[argument as string]);
      case 'Fn::Equals': {
        const [left, right] = (argument as unknown[]).map((each) => String(workedOut(each)));
        return left === right;
      }
      case 'Fn::Not':
        return !holds((argument as unknown[])[0]);
      case 'Fn::And':
        return (argument as unknown[]).every(holds);
      default:
        throw new Error(`${name} is no condition`);
    }
  }

  /** Rejects what CloudFormation would: a name that nothing has, or only under a condition that does not hold. */
  function there(id: string): void {
    const resource = Resources[id];
    if (resource === undefined || !isGiven(resource)) throw new Error(`there is no ${id}`);
  }
}

function arnOf(id: string): string {
  return `arn:aws:any:eu-central-1:123456789012:${id}`;
}
