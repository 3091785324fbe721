// Lists and removes what a deployment made at run time, in Lambda and in Secrets Manager.
import { DeregisterStreamConsumerCommand, KinesisClient } from '@aws-sdk/client-kinesis';
import {
  DeleteEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
} from '@aws-sdk/client-lambda';
import {
  DeleteSecretCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { MadeAtRunTime } from '../cleanup.ts';
import { isOwnConsumer } from '../consumer-name.ts';
import { publishedSecret } from '../published.ts';
import { limited } from './client.ts';
import { awsCall, isNotFound } from './failure.ts';

/** The caller must answer in time. */
const LIMITS = { connectMs: 2_000, answerMs: 5_000 };

/** @throws Failure (from each method) `AWS_UNAVAILABLE`, `AWS_REFUSED` */
export function createMadeAtRunTime(
  { forwarder, stage }: { readonly forwarder: string; readonly stage: string },
  lambda = limited((config) => new LambdaClient(config), LIMITS),
  secrets = limited((config) => new SecretsManagerClient(config), LIMITS),
  kinesis = limited((config) => new KinesisClient(config), LIMITS),
): MadeAtRunTime {
  /** A trigger's own consumer is of no use without it. */
  async function removeConsumerOf(eventSourceArn = ''): Promise<void> {
    if (!isOwnConsumer(eventSourceArn, stage)) return;
    try {
      await kinesis.send(new DeregisterStreamConsumerCommand({ ConsumerARN: eventSourceArn }));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  // For all streams: the common beginning of the names.
  const prefix = publishedSecret({ stage }, '');
  return {
    triggers: () =>
      awsCall(`listing the triggers of ${forwarder}`, () =>
        allPages(async (Marker) => {
          const page = await lambda.send(
            new ListEventSourceMappingsCommand({ FunctionName: forwarder, Marker }),
          );
          return { names: page.EventSourceMappings?.map(({ UUID }) => UUID), next: page.NextMarker };
        }),
      ),

    removeTrigger: (id) =>
      awsCall(`removing the trigger ${id}`, async () => {
        try {
          const gone = await lambda.send(new DeleteEventSourceMappingCommand({ UUID: id }));
          await removeConsumerOf(gone.EventSourceArn);
        } catch (error) {
          // "In use" while it is being made, changed or deleted: the caller looks at it again.
          if (!isNotFound(error) && !(error instanceof Error && error.name === 'ResourceInUseException'))
            throw error;
        }
      }),

    published: () =>
      awsCall('listing the published pipelines', () =>
        allPages(async (NextToken) => {
          const page = await secrets.send(
            new ListSecretsCommand({
              Filters: [{ Key: 'name', Values: [prefix] }],
              IncludePlannedDeletion: true,
              NextToken,
            }),
          );
          const names = page.SecretList?.map(({ Name }) => Name).filter((name) => name?.startsWith(prefix));
          return { names, next: page.NextToken };
        }),
      ),

    removePublished: (name) =>
      awsCall(`deleting the secret ${name}`, async () => {
        try {
          await secrets.send(new DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }));
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }),
  };
}

interface NamesPage {
  readonly names: readonly (string | undefined)[] | undefined;
  readonly next: string | undefined;
}

/** All pages of a list, one after the other. */
async function allPages(page: (from: string | undefined) => Promise<NamesPage>): Promise<string[]> {
  const all: string[] = [];
  let next: string | undefined;
  do {
    const one = await page(next);
    for (const name of one.names ?? []) if (name !== undefined) all.push(name);
    next = one.next === '' ? undefined : one.next;
  } while (next !== undefined);
  return all;
}
