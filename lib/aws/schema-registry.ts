// Glue's Schema Registry: the schema behind the id in a record. The SDK is loaded with the first call, because most
// pipelines have no such records.
import type { GlueClient } from '@aws-sdk/client-glue';
import { Failure } from '../failure.ts';
import type { RegisteredSchema, SchemaRegistry } from '../runtime.ts';
import { limited } from './client.ts';
import { awsCall } from './failure.ts';

/** The part of the client that is used. */
export type Glue = Pick<GlueClient, 'send'>;

const LIMITS = { connectMs: 2_000, answerMs: 5_000, attempts: 2 };

export function createSchemaRegistry(makeClient: () => Promise<Glue> = loadGlue): SchemaRegistry {
  let client: Promise<Glue> | undefined;
  return {
    version: (id) =>
      awsCall(`reading the schema version ${id}`, async () => {
        client ??= makeClient();
        const [sdk, glue] = await Promise.all([import('./glue-client.ts'), client]);
        try {
          return usable(await glue.send(new sdk.GetSchemaVersionCommand({ SchemaVersionId: id })));
        } catch (error) {
          if (error instanceof Error && error.name === 'EntityNotFoundException') return undefined;
          throw error;
        }
      }),
  };
}

async function loadGlue(): Promise<Glue> {
  const { GlueClient } = await import('./glue-client.ts');
  return limited((config) => new GlueClient(config), LIMITS);
}

/**
 * AWS: API reference, `GetSchemaVersion`. Only an AVAILABLE version is used by AWS's own deserializers. A PENDING one
 * becomes AVAILABLE or FAILURE within seconds.
 * @throws Failure `AWS_UNAVAILABLE`
 */
function usable(answer: {
  readonly Status?: string | undefined;
  readonly DataFormat?: string | undefined;
  readonly SchemaDefinition?: string | undefined;
}): RegisteredSchema | undefined {
  const { Status, DataFormat, SchemaDefinition } = answer;
  if (Status === 'PENDING')
    throw new Failure('AWS_UNAVAILABLE', 'the schema version is still being checked by Glue');
  if (Status !== 'AVAILABLE' || SchemaDefinition === undefined) return undefined;
  return { dataFormat: DataFormat ?? '', definition: SchemaDefinition };
}
