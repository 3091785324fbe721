// The port to Glue's Schema Registry, against the local one and against answers that it does not give.
import {
  CreateSchemaCommand,
  GetSchemaVersionCommand,
  GlueClient,
  RegisterSchemaVersionCommand,
} from '@aws-sdk/client-glue';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSchemaRegistry, type Glue } from '../../lib/aws/schema-registry.ts';
import { startGlue } from '../../local/aws/glue.ts';
import type { RunningServer } from '../../local/aws/server.ts';
import { idOf } from '../support/glue.ts';

let server: RunningServer;
let glue: GlueClient;
beforeAll(async () => {
  server = await startGlue();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  glue = new GlueClient({ endpoint: server.endpoint, region: 'eu-west-1', credentials, maxAttempts: 1 });
});
afterAll(async () => {
  glue.destroy();
  await server.close();
});

const answering = (send: () => Promise<unknown>) =>
  createSchemaRegistry(async () => ({ send }) as unknown as Glue);
const failing = (name: string, rest: object = {}) =>
  answering(() => Promise.reject(Object.assign(new Error(`${name} it is`), { name }, rest)));

describe("14 B: Glue's Schema Registry", () => {
  it('has the schema of each version by its id', async () => {
    const registry = createSchemaRegistry(async () => glue);
    const { SchemaVersionId: first = '' } = await glue.send(
      new CreateSchemaCommand({
        SchemaName: 'orders',
        DataFormat: 'AVRO',
        Compatibility: 'NONE',
        SchemaDefinition: '"int"',
      }),
    );
    const { SchemaVersionId: second = '', VersionNumber } = await glue.send(
      new RegisterSchemaVersionCommand({
        SchemaId: { SchemaName: 'orders', RegistryName: 'default-registry' },
        SchemaDefinition: '"long"',
      }),
    );
    expect(VersionNumber).toBe(2);
    expect(await registry.version(first)).toEqual({ dataFormat: 'AVRO', definition: '"int"' });
    expect(await registry.version(second)).toEqual({ dataFormat: 'AVRO', definition: '"long"' });
    const latest = { SchemaId: { SchemaName: 'orders' }, SchemaVersionNumber: { LatestVersion: true } };
    expect(await glue.send(new GetSchemaVersionCommand(latest))).toMatchObject({ SchemaVersionId: second });
  });

  it('has none of an id that was never given', async () => {
    const registry = createSchemaRegistry(async () => glue);
    expect(await registry.version(idOf(1))).toBeUndefined();
  });

  it.each([
    ['FAILURE', undefined],
    ['DELETING', undefined],
    ['AVAILABLE', { dataFormat: 'AVRO', definition: '"int"' }],
  ])('a version that is %s', async (Status, found) => {
    const registry = answering(async () => ({ Status, DataFormat: 'AVRO', SchemaDefinition: '"int"' }));
    expect(await registry.version(idOf(1))).toEqual(found);
  });

  it.each([
    ['no answer', failing('TimeoutError'), 'AWS_UNAVAILABLE'],
    ['too many calls', failing('ThrottlingException'), 'AWS_UNAVAILABLE'],
    ['no connection', failing('Error', { code: 'ECONNREFUSED' }), 'AWS_UNAVAILABLE'],
    ['no permission', failing('AccessDeniedException'), 'AWS_REFUSED'],
    ['a version that is still looked at', answering(async () => ({ Status: 'PENDING' })), 'AWS_UNAVAILABLE'],
  ])('%s is a failure, and no verdict on a record', async (_, registry, code) => {
    await expect(registry.version(idOf(1))).rejects.toMatchObject({ code });
  });
});
