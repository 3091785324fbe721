// What a call to AWS asks of the key that its data is encrypted under, as AWS documents it for each service. The local AWS encrypts nothing.
import type { Call } from '../../local/aws/calls.ts';

export interface KeyUse {
  readonly actions: readonly string[];
  /** The service that uses the key on behalf of the caller, as in `kms:ViaService`. */
  readonly service: string;
  /** The encryption context, as far as the service has one. */
  readonly context: Readonly<Record<string, string>>;
}

/**
 * Reading decrypts the table's key; of writing AWS says what "DynamoDB requires on a customer managed key", the grant aside, which whoever makes the
 * table gives: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html. AWS's CDK gives the same to
 * whoever reads and writes (aws-dynamodb/lib/perms.ts: KEY_READ_ACTIONS, KEY_WRITE_ACTIONS).
 */
const TABLE_READ = ['kms:Decrypt', 'kms:DescribeKey'];
const TABLE_WRITE = [
  ...TABLE_READ,
  'kms:Encrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
];

/** By IAM's action. A call that is not here touches nothing that is encrypted under the key. */
const USES: Readonly<Record<string, Pick<KeyUse, 'actions' | 'service'>>> = {
  'dynamodb:GetItem': { service: 'dynamodb', actions: TABLE_READ },
  'dynamodb:Query': { service: 'dynamodb', actions: TABLE_READ },
  'dynamodb:Scan': { service: 'dynamodb', actions: TABLE_READ },
  'dynamodb:DeleteItem': { service: 'dynamodb', actions: TABLE_WRITE },
  'dynamodb:PutItem': { service: 'dynamodb', actions: TABLE_WRITE },
  'dynamodb:UpdateItem': { service: 'dynamodb', actions: TABLE_WRITE },
  // https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
  'secretsmanager:GetSecretValue': { service: 'secretsmanager', actions: ['kms:Decrypt'] },
  'secretsmanager:CreateSecret': {
    service: 'secretsmanager',
    actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
  },
  'secretsmanager:PutSecretValue': {
    service: 'secretsmanager',
    actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
  },
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html; what is written in one piece is not decrypted.
  's3:GetObject': { service: 's3', actions: ['kms:Decrypt'] },
  's3:PutObject': { service: 's3', actions: ['kms:GenerateDataKey'] },
  // https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html
  'kinesis:GetRecords': { service: 'kinesis', actions: ['kms:Decrypt'] },
  // Ours: AWS's page on encrypted log groups speaks of the service alone (keyPolicyUses), others' policies give it to whoever reads.
  'logs:FilterLogEvents': { service: 'logs', actions: ['kms:Decrypt'] },
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html, of producers
  'sqs:SendMessage': { service: 'sqs', actions: ['kms:GenerateDataKey', 'kms:Decrypt'] },
};

export function keyUseOf({ action, resource }: Pick<Call, 'action' | 'resource'>): KeyUse | undefined {
  const use = USES[action];
  if (use === undefined) return undefined;
  return { ...use, context: contextOf(use.service, resource) };
}

function contextOf(service: string, resource: string): Record<string, string> {
  switch (service) {
    case 'dynamodb':
      return { 'aws:dynamodb:tableName': resource.slice(resource.indexOf('/') + 1) };
    case 'secretsmanager':
      return { SecretARN: resource };
    case 's3':
      // With a bucket key the context is the bucket's.
      return { 'aws:s3:arn': resource.replace(/\/.*$/, '') };
    case 'kinesis':
      return { 'aws:kinesis:arn': resource };
    case 'logs':
      return { 'aws:logs:arn': resource.replace(/:log-stream:.*$/, '') };
    default:
      return {};
  }
}
