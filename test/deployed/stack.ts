// The packaged stack in a local AWS, as the Serverless Framework puts it there: a bucket first, then the zips, then all the rest.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  type Stack,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { eventually } from '../support/eventually.ts';

export const STACK = 'penstock-dev';

interface Template {
  readonly Resources: Record<
    string,
    { readonly Type: string; readonly Properties?: Record<string, unknown> }
  >;
}

/** What MiniStack has no provisioner for, or makes wrongly. The template's own tests look at these. */
const CANNOT_MAKE: readonly ((resource: Template['Resources'][string]) => boolean)[] = [
  // Alarms by an expression over several metrics: it asks for one MetricName.
  ({ Type, Properties }) => Type === 'AWS::CloudWatch::Alarm' && Properties?.Metrics !== undefined,
];

/** The template without what cannot be made, and the names of that. */
function possible(text: string): { template: string; left: string[] } {
  const template = JSON.parse(text) as Template;
  const left = Object.entries(template.Resources)
    .filter(([, resource]) => CANNOT_MAKE.some((cannot) => cannot(resource)))
    .map(([name]) => name);
  for (const name of left) delete template.Resources[name];
  return { template: JSON.stringify(template), left };
}

const Capabilities = ['CAPABILITY_NAMED_IAM' as const];

/** Creates it and returns its outputs, and what was left out of it. */
export async function createStack(
  packed: string,
  { endpoint, cloudFormation, s3 }: { endpoint: string; cloudFormation: CloudFormationClient; s3: S3Client },
): Promise<{ outputs: Record<string, string>; left: string[] }> {
  const read = (name: string) => readFile(join(packed, `cloudformation-template-${name}-stack.json`), 'utf8');
  const first = await read('create');
  await cloudFormation.send(new CreateStackCommand({ StackName: STACK, TemplateBody: first, Capabilities }));
  const { ServerlessDeploymentBucketName: Bucket } = await settled(cloudFormation, 'CREATE_COMPLETE');
  const second = await read('update');
  await upload(packed, second, Bucket ?? '', s3);
  const { template, left } = possible(second);
  // It is longer than a request may be.
  await s3.send(new PutObjectCommand({ Bucket, Key: 'template.json', Body: template }));
  const TemplateURL = `${endpoint}/${Bucket}/template.json`;
  await cloudFormation.send(new UpdateStackCommand({ StackName: STACK, TemplateURL, Capabilities }));
  return { outputs: await settled(cloudFormation, 'UPDATE_COMPLETE'), left };
}

/** Each zip where its function says that it is. */
async function upload(packed: string, text: string, Bucket: string, s3: S3Client): Promise<void> {
  const keys = [...text.matchAll(/"S3Key":\s*"([^"]+)"/g)].map(([, key = '']) => key);
  const files = await readdir(packed);
  for (const Key of new Set(keys)) {
    const file = Key.slice(Key.lastIndexOf('/') + 1);
    if (!files.includes(file)) throw new Error(`the template names ${Key}, and there is no ${file}`);
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: await readFile(join(packed, file)) }));
  }
}

export async function deleteStack(cloudFormation: CloudFormationClient): Promise<void> {
  await cloudFormation.send(new DeleteStackCommand({ StackName: STACK }));
  await settled(cloudFormation, 'DELETE_COMPLETE');
}

/** Waits for the stack to be done with something, and returns its outputs. */
async function settled(client: CloudFormationClient, wanted: string): Promise<Record<string, string>> {
  let stack: Stack | undefined;
  const status = async () => {
    const found = client.send(new DescribeStacksCommand({ StackName: STACK })).catch((error) => {
      // A stack that is gone is not found by its name.
      if (wanted === 'DELETE_COMPLETE' && /does not exist/.test(String(error))) return { Stacks: undefined };
      throw error;
    });
    [stack] = (await found).Stacks ?? [];
    return stack?.StackStatus ?? 'DELETE_COMPLETE';
  };
  await eventually(status).not.toMatch(/IN_PROGRESS$/);
  const last = await status();
  if (last !== wanted) throw new Error(`the stack is ${last}: ${await reasons(client)}`);
  return Object.fromEntries(
    (stack?.Outputs ?? []).map((one) => [one.OutputKey ?? '', one.OutputValue ?? '']),
  );
}

async function reasons(client: CloudFormationClient): Promise<string> {
  const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName: STACK }));
  return StackEvents.filter(({ ResourceStatus }) => ResourceStatus?.endsWith('FAILED'))
    .map((one) => `${one.LogicalResourceId}: ${one.ResourceStatusReason}`)
    .join('; ');
}
