// Reads and writes secrets in Secrets Manager.
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { checkBytes, MAX_SECRET_BYTES } from '../bounds.ts';
import type { Secrets } from '../runtime.ts';
import { limited } from './client.ts';
import { awsCall, isBeingDeleted, isNotFound } from './failure.ts';

/**
 * @param kmsKey encrypts new secrets; by default AWS's own key for Secrets Manager
 * @param tags of new secrets
 * @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED`, `TOO_LARGE`; their messages never hold a value
 */
export function createSecrets(
  client = limited((config) => new SecretsManagerClient(config), { connectMs: 2_000, answerMs: 5_000 }),
  kmsKey?: string,
  tags: Readonly<Record<string, string>> = {},
): Secrets {
  const write = (id: string, value: string, version?: string) => {
    checkBytes(`the secret ${id}`, value, MAX_SECRET_BYTES);
    return client.send(new PutSecretValueCommand({ SecretId: id, SecretString: value, ...tokenOf(version) }));
  };

  const creation = (id: string, value: string, description: string, version?: string) => {
    checkBytes(`the secret ${id}`, value, MAX_SECRET_BYTES);
    return new CreateSecretCommand({
      Name: id,
      SecretString: value,
      ...tokenOf(version),
      Description: description,
      ...(kmsKey !== undefined && { KmsKeyId: kmsKey }),
      ...(Object.keys(tags).length > 0 && {
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    });
  };

  const create = async (id: string, value: string, description: string, version?: string) => {
    try {
      await client.send(creation(id, value, description, version));
    } catch (error) {
      // Another execution created it first, or the answer to an earlier try was lost.
      if (!(error instanceof Error && error.name === 'ResourceExistsException')) throw error;
      await write(id, value, version);
    }
  };

  return {
    get: (id, version) =>
      awsCall(`reading the secret ${id}`, async () => {
        const command = new GetSecretValueCommand({
          SecretId: id,
          ...(version !== undefined && { VersionId: version }),
        });
        try {
          return (await client.send(command)).SecretString;
        } catch (error) {
          if (isNotFound(error) || isBeingDeleted(error)) return undefined;
          throw error;
        }
      }),

    create: (id, value, description, version) =>
      awsCall(`creating the secret ${id}`, async () => {
        try {
          await client.send(creation(id, value, description, version));
        } catch (error) {
          if (error instanceof Error && error.name === 'ResourceExistsException') return false;
          if (!isBeingDeleted(error)) throw error;
          await client.send(new RestoreSecretCommand({ SecretId: id }));
          await write(id, value, version);
          // Two executions may restore it at once; the last one to write wins.
          return (await client.send(new GetSecretValueCommand({ SecretId: id }))).SecretString === value;
        }
        return true;
      }),

    put: (id, value, description, version) =>
      awsCall(`writing the secret ${id}`, async () => {
        try {
          await write(id, value, version);
        } catch (error) {
          if (isBeingDeleted(error)) {
            await client.send(new RestoreSecretCommand({ SecretId: id }));
            await write(id, value, version);
          } else if (isNotFound(error)) {
            await create(id, value, description, version);
          } else {
            throw error;
          }
        }
      }),

    remove: (id) =>
      awsCall(`deleting the secret ${id}`, async () => {
        try {
          await client.send(new DeleteSecretCommand({ SecretId: id, RecoveryWindowInDays: 7 }));
        } catch (error) {
          if (!isNotFound(error) && !isBeingDeleted(error)) throw error;
        }
      }),
  };
}

/** Secrets Manager takes the token of the request as the id of the version. AWS: API reference of PutSecretValue. */
function tokenOf(version: string | undefined): { ClientRequestToken?: string } {
  return version === undefined ? {} : { ClientRequestToken: version };
}
