// AWS Glue's Schema Registry on loopback: schemas are registered and asked for, as far as producers and Penstock do it.
// AWS: Glue API reference, `CreateSchema`, `RegisterSchemaVersion`, `GetSchemaVersion`.
import { randomUUID } from 'node:crypto';
import { type Calls, noCalls } from './calls.ts';
import {
  type Account,
  AwsError,
  checkScope,
  LOCAL_ACCOUNT,
  notSimulated,
  parseBody,
  type RunningServer,
  serve,
} from './server.ts';

interface SchemaVersion {
  readonly SchemaVersionId: string;
  readonly SchemaDefinition: string;
  readonly DataFormat: string;
  readonly SchemaArn: string;
  readonly VersionNumber: number;
  readonly Status: 'AVAILABLE';
  readonly CreatedTime: string;
}

interface Registry {
  readonly account: Account;
  /** By the schema's ARN, its versions in their order. */
  readonly schemas: Map<string, SchemaVersion[]>;
  readonly byId: Map<string, SchemaVersion>;
}

type Input = Readonly<Record<string, unknown>>;

/** The registry that AWS takes where none is named. */
const DEFAULT_REGISTRY = 'default-registry';

/** @param calls told of what functions ask for */
export async function startGlue(
  account: Account = LOCAL_ACCOUNT,
  calls: Calls = noCalls,
): Promise<RunningServer> {
  const registry: Registry = { account, schemas: new Map(), byId: new Map() };
  return serve('application/x-amz-json-1.1', (request) => {
    checkScope(request, 'glue');
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    const answer = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
    if (answer === undefined) throw notSimulated(`${operation} of Glue`);
    const input = parseBody(request.body);
    calls.request(request.headers.authorization, () => [
      { api: `glue:${operation}`, action: `glue:${operation}`, resource: '*' },
    ]);
    return { status: 200, body: answer(registry, input) };
  });
}

const OPERATIONS: Readonly<Record<string, (registry: Registry, input: Input) => unknown>> = {
  CreateSchema(registry, input) {
    const { SchemaName, DataFormat, SchemaDefinition } = input;
    const RegistryName = (input.RegistryId as Input | undefined)?.RegistryName ?? DEFAULT_REGISTRY;
    const arn = arnOf(registry, RegistryName, SchemaName);
    if (registry.schemas.has(arn)) throw new AwsError('AlreadyExistsException', `${arn} exists already.`);
    if (typeof DataFormat !== 'string' || typeof SchemaDefinition !== 'string')
      throw new AwsError('InvalidInputException', 'DataFormat and SchemaDefinition are needed.');
    registry.schemas.set(arn, []);
    const { SchemaVersionId, Status } = add(registry, arn, DataFormat, SchemaDefinition);
    return {
      RegistryName,
      SchemaName,
      SchemaArn: arn,
      DataFormat,
      LatestSchemaVersion: 1,
      NextSchemaVersion: 2,
      SchemaStatus: 'AVAILABLE',
      SchemaVersionId,
      SchemaVersionStatus: Status,
    };
  },

  RegisterSchemaVersion(registry, input) {
    const [arn, versions] = schemaOf(registry, input.SchemaId as Input | undefined);
    const definition = String(input.SchemaDefinition ?? '');
    const { SchemaVersionId, VersionNumber, Status } =
      versions.find((one) => one.SchemaDefinition === definition) ??
      add(registry, arn, versions[0]?.DataFormat ?? '', definition);
    return { SchemaVersionId, VersionNumber, Status };
  },

  GetSchemaVersion(registry, input) {
    const { SchemaVersionId, SchemaId, SchemaVersionNumber } = input;
    if (SchemaVersionId !== undefined) return found(registry.byId.get(String(SchemaVersionId)));
    const [, versions] = schemaOf(registry, SchemaId as Input | undefined);
    const { LatestVersion, VersionNumber } = (SchemaVersionNumber ?? {}) as Input;
    return found(LatestVersion === true ? versions.at(-1) : versions[Number(VersionNumber) - 1]);
  },
};

function found(version: SchemaVersion | undefined): SchemaVersion {
  if (version !== undefined) return version;
  throw new AwsError('EntityNotFoundException', 'Schema version is not found.');
}

function schemaOf(registry: Registry, id: Input = {}): [string, SchemaVersion[]] {
  const arn = String(id.SchemaArn ?? arnOf(registry, id.RegistryName ?? DEFAULT_REGISTRY, id.SchemaName));
  const versions = registry.schemas.get(arn);
  if (versions === undefined) throw new AwsError('EntityNotFoundException', 'Schema is not found.');
  return [arn, versions];
}

function add(registry: Registry, arn: string, DataFormat: string, SchemaDefinition: string): SchemaVersion {
  const versions = registry.schemas.get(arn) ?? [];
  const version: SchemaVersion = {
    SchemaVersionId: randomUUID(),
    SchemaDefinition,
    DataFormat,
    SchemaArn: arn,
    VersionNumber: versions.length + 1,
    Status: 'AVAILABLE',
    CreatedTime: new Date().toISOString(),
  };
  versions.push(version);
  registry.byId.set(version.SchemaVersionId, version);
  return version;
}

function arnOf({ account }: Registry, registryName: unknown, schemaName: unknown): string {
  if (typeof schemaName !== 'string') throw new AwsError('InvalidInputException', 'SchemaName is needed.');
  return `arn:aws:glue:${account.region}:${account.accountId}:schema/${registryName}/${schemaName}`;
}
