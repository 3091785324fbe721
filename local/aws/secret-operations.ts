// What each operation of Secrets Manager does to the store, and what it answers.

import {
  invalidParameter,
  invalidRequest,
  type Secret,
  type SecretStore,
  type SecretValue,
  sameValue,
  type Tag,
} from './secret-store.ts';
import { AwsError } from './server.ts';

type Input = Record<string, unknown>;

export const operations: Record<string, (store: SecretStore, input: Input) => unknown> = {
  CreateSecret(store, input) {
    const name = required(input, 'Name');
    const token = tokenOf(input);
    const value = givenValue(input);
    const existing = store.find(name);
    if (existing?.purgeAt !== undefined) {
      throw invalidRequest(
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
    }
    if (existing) {
      const repeated = value && existing.versions.get(token);
      if (repeated && sameValue(repeated, value)) return identity(existing, token);
      throw new AwsError(
        'ResourceExistsException',
        `The operation failed because the secret ${name} already exists.`,
      );
    }
    const secret = store.add(name);
    try {
      if (value) store.putVersion(secret, token, value, ['AWSCURRENT']);
    } catch (error) {
      store.remove(secret);
      throw error;
    }
    describe(secret, input);
    setTags(secret, input);
    return identity(secret, value && token);
  },

  GetSecretValue(store, input) {
    const secret = store.getLive(required(input, 'SecretId'));
    const version = store.version(secret, text(input, 'VersionId'), text(input, 'VersionStage'));
    store.touch(secret);
    const { SecretString, SecretBinary } = version;
    return {
      ...identity(secret, version.id),
      ...(SecretString === undefined ? { SecretBinary } : { SecretString }),
      VersionStages: [...version.stages],
      CreatedDate: seconds(version.createdAt),
    };
  },

  PutSecretValue(store, input) {
    const secret = store.getLive(required(input, 'SecretId'));
    const stages = Array.isArray(input.VersionStages) ? input.VersionStages.map(String) : ['AWSCURRENT'];
    const version = store.putVersion(secret, tokenOf(input), givenValue(input) ?? {}, stages);
    return { ...identity(secret, version.id), VersionStages: [...version.stages] };
  },

  UpdateSecret(store, input) {
    const secret = store.getLive(required(input, 'SecretId'));
    const value = givenValue(input);
    const version = value && store.putVersion(secret, tokenOf(input), value, ['AWSCURRENT']);
    describe(secret, input);
    return identity(secret, version?.id);
  },

  DescribeSecret(store, input) {
    return description(store.get(required(input, 'SecretId')));
  },

  DeleteSecret(store, input) {
    const force = input.ForceDeleteWithoutRecovery === true;
    const days = input.RecoveryWindowInDays;
    if (force && days !== undefined) {
      throw invalidParameter(
        "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
      );
    }
    if (days !== undefined && !(typeof days === 'number' && days >= 7 && days <= 30)) {
      throw invalidParameter('The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).');
    }
    const id = required(input, 'SecretId');
    if (force) return forceDelete(store, id);
    const secret = store.get(id);
    if (secret.purgeAt !== undefined) {
      throw invalidRequest("You tried to perform the operation on a secret that's currently marked deleted.");
    }
    const purgeAt = store.scheduleDeletion(secret, days === undefined ? 30 : Number(days));
    return { ...identity(secret), DeletionDate: seconds(purgeAt) };
  },

  RestoreSecret(store, input) {
    const secret = store.get(required(input, 'SecretId'));
    store.restore(secret);
    return identity(secret);
  },

  ListSecrets(store, input) {
    const all = store
      .all()
      .filter((secret) => input.IncludePlannedDeletion === true || secret.purgeAt === undefined)
      .filter((secret) => matches(secret, input.Filters));
    const start = Number(text(input, 'NextToken') ?? 0);
    const size = typeof input.MaxResults === 'number' ? input.MaxResults : 100;
    const next = start + size;
    return {
      SecretList: all.slice(start, next).map((secret) => {
        const { VersionIdsToStages, ...entry } = description(secret);
        return { ...entry, SecretVersionsToStages: VersionIdsToStages };
      }),
      ...(next < all.length ? { NextToken: String(next) } : {}),
    };
  },

  TagResource(store, input) {
    setTags(store.getLive(required(input, 'SecretId')), input);
    return {};
  },

  UntagResource(store, input) {
    const secret = store.getLive(required(input, 'SecretId'));
    if (Array.isArray(input.TagKeys)) for (const key of input.TagKeys) secret.tags.delete(String(key));
    return {};
  },
};

// "If you forcibly delete an already deleted or nonexistent secret, the operation does not return
// ResourceNotFoundException" (API reference of DeleteSecret).
function forceDelete(store: SecretStore, id: string): unknown {
  const secret = store.find(id);
  if (secret) store.remove(secret);
  return { ...(secret ? identity(secret) : { Name: id }), DeletionDate: seconds(Date.now()) };
}

function identity(secret: Secret, versionId?: string) {
  return { ARN: secret.arn, Name: secret.name, ...(versionId === undefined ? {} : { VersionId: versionId }) };
}

function description(secret: Secret) {
  return {
    ...identity(secret),
    Description: secret.description,
    KmsKeyId: secret.kmsKeyId,
    CreatedDate: seconds(secret.createdAt),
    LastChangedDate: seconds(secret.changedAt),
    LastAccessedDate: secret.accessedAt && seconds(secret.accessedAt),
    DeletedDate: secret.deletedAt && seconds(secret.deletedAt),
    Tags: [...secret.tags].map(([Key, Value]) => ({ Key, Value })),
    VersionIdsToStages: Object.fromEntries(
      [...secret.versions.values()]
        .filter((version) => version.stages.size > 0)
        .map((version) => [version.id, [...version.stages]]),
    ),
  };
}

function describe(secret: Secret, input: Input): void {
  const [words, key] = [text(input, 'Description'), text(input, 'KmsKeyId')];
  if (words !== undefined) secret.description = words;
  if (key !== undefined) secret.kmsKeyId = key;
}

function setTags(secret: Secret, input: Input): void {
  if (!Array.isArray(input.Tags)) return;
  for (const { Key, Value } of input.Tags as Tag[]) secret.tags.set(Key, Value);
}

// Values under one filter are alternatives, filters add up; names and descriptions match from the start.
function matches(secret: Secret, filters: unknown): boolean {
  if (!Array.isArray(filters)) return true;
  return (filters as { Key: string; Values: string[] }[]).every(({ Key, Values }) =>
    Values.some((value) => {
      if (Key === 'name') return secret.name.startsWith(value);
      if (Key === 'description') return secret.description?.startsWith(value) ?? false;
      if (Key === 'tag-key') return [...secret.tags.keys()].some((key) => key.startsWith(value));
      if (Key === 'tag-value') return [...secret.tags.values()].some((tag) => tag.startsWith(value));
      throw invalidParameter(`Filter not available locally: ${Key}`);
    }),
  );
}

function text(input: Input, key: string): string | undefined {
  const value = input[key];
  return typeof value === 'string' ? value : undefined;
}

function required(input: Input, key: string): string {
  const value = text(input, key);
  if (!value) throw invalidParameter(`You must provide a value for the ${key} parameter.`);
  return value;
}

function tokenOf(input: Input): string {
  return text(input, 'ClientRequestToken') ?? crypto.randomUUID();
}

function givenValue(input: Input): SecretValue | undefined {
  const [SecretString, SecretBinary] = [text(input, 'SecretString'), text(input, 'SecretBinary')];
  if (SecretString === undefined && SecretBinary === undefined) return undefined;
  return {
    ...(SecretString === undefined ? {} : { SecretString }),
    ...(SecretBinary === undefined ? {} : { SecretBinary }),
  };
}

const seconds = (milliseconds: number) => milliseconds / 1000;
