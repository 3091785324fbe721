// The dead-letter store of a stage, for reading: where it is, its documents by pipeline and day, and one of them.
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { createDeadLetters } from '../../lib/aws/dead-letters.ts';
import type { StoredKind, StoredObject } from '../../lib/runtime.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import type { DeadLettersSeen } from '../target.ts';
import { asked } from './asked.ts';
import type { Clients } from './clients.ts';

/** @param functionName of a function that has the store in its settings */
export async function deadLettersOf(clients: Clients, functionName: string): Promise<DeadLettersSeen> {
  const url = await storeUrl(await clients.lambda(), functionName);
  const store = createDeadLetters(url, clients.s3);
  return {
    list: (what: StoredKind, after?: string): Promise<{ objects: readonly StoredObject[]; more: boolean }> =>
      asked({ what: 'listing the dead-letter store', action: 's3:ListBucket' }, () =>
        store.list(what, after),
      ),
    read: (key: string) =>
      asked({ what: 'reading from the dead-letter store', action: 's3:GetObject and kms:Decrypt' }, () =>
        store.read(key),
      ),
  };
}

/** The bucket's name is drawn by CloudFormation; a function is told it. @throws MistakeError where it is not */
async function storeUrl(client: LambdaClient, functionName: string): Promise<string> {
  const { GetFunctionConfigurationCommand } = await import('@aws-sdk/client-lambda');
  const command = new GetFunctionConfigurationCommand({ FunctionName: functionName });
  const call = {
    what: `looking where ${functionName} has its store`,
    action: 'lambda:GetFunctionConfiguration',
  };
  const { Environment } = await asked(call, () => client.send(command));
  const url = Environment?.Variables?.PENSTOCK_DEAD_LETTERS_URL;
  if (url !== undefined) return url;
  throw new MistakeError(
    'OTHER_VERSION',
    `${functionName} does not tell where the dead-letter store is`,
    'Deploy this version (docs/deploy.md).',
  );
}
