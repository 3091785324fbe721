// What Secrets Manager remembers: secrets, their versions and staging labels, and deletions that can be undone.
import { randomBytes } from 'node:crypto';
import { type Account, AwsError } from './server.ts';

export interface SecretValue {
  SecretString?: string;
  SecretBinary?: string;
}

export interface SecretVersion extends SecretValue {
  id: string;
  stages: Set<string>;
  createdAt: number;
}

export interface Tag {
  Key: string;
  Value: string;
}

export interface Secret {
  name: string;
  arn: string;
  description?: string;
  kmsKeyId?: string;
  tags: Map<string, string>;
  versions: Map<string, SecretVersion>;
  createdAt: number;
  changedAt: number;
  accessedAt?: number;
  deletedAt?: number;
  /** When the recovery window ends; only set while the secret is scheduled for deletion. */
  purgeAt?: number;
}

const DAY_MS = 86_400_000;
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
const MAX_VALUE_BYTES = 65_536;
// Versions without a label are deprecated; Secrets Manager deletes them beyond about 100.
const MAX_VERSIONS = 100;

export interface SecretStore {
  all(): Secret[];
  /** By name, by ARN, or by an ARN without the six random characters at its end. */
  find(secretId: string): Secret | undefined;
  /** @throws {AwsError} ResourceNotFoundException */
  get(secretId: string): Secret;
  /** A secret that is not scheduled for deletion. @throws {AwsError} also InvalidRequestException */
  getLive(secretId: string): Secret;
  add(name: string): Secret;
  touch(secret: Secret): void;
  remove(secret: Secret): void;
  /** @returns when it goes */
  scheduleDeletion(secret: Secret, days: number): number;
  restore(secret: Secret): void;
  /** Adds a version; the same token with the same value again changes nothing, with another value it is refused. */
  putVersion(secret: Secret, token: string, value: SecretValue, stages: string[]): SecretVersion;
  /** The version a reader asked for: by id, by label, or both when they agree. */
  version(secret: Secret, versionId: string | undefined, stage: string | undefined): SecretVersion;
}

export function createSecretStore({ region, accountId }: Account, now: () => number): SecretStore {
  const secrets = new Map<string, Secret>();

  function all(): Secret[] {
    for (const secret of secrets.values())
      if (secret.purgeAt !== undefined && secret.purgeAt <= now()) secrets.delete(secret.name);
    return [...secrets.values()];
  }

  function find(secretId: string): Secret | undefined {
    const there = all();
    const byName = secrets.get(secretId);
    if (byName || !secretId.startsWith('arn:')) return byName;
    return there.find((secret) => secret.arn === secretId || secret.arn.slice(0, -7) === secretId);
  }

  function get(secretId: string): Secret {
    const secret = find(secretId);
    if (!secret) throw notFound("Secrets Manager can't find the specified secret.");
    return secret;
  }

  return {
    all,
    find,
    get,
    getLive(secretId) {
      const secret = get(secretId);
      if (secret.purgeAt === undefined) return secret;
      throw invalidRequest(
        "You can't perform this operation on the secret because it was marked for deletion.",
      );
    },
    add(name) {
      const secret: Secret = {
        name,
        arn: `arn:aws:secretsmanager:${region}:${accountId}:secret:${name}-${suffix()}`,
        tags: new Map(),
        versions: new Map(),
        createdAt: now(),
        changedAt: now(),
      };
      secrets.set(name, secret);
      return secret;
    },
    touch(secret) {
      secret.accessedAt = now();
    },
    remove: ({ name }) => void secrets.delete(name),
    scheduleDeletion(secret, days) {
      secret.deletedAt = now();
      secret.purgeAt = secret.deletedAt + days * DAY_MS;
      return secret.purgeAt;
    },
    restore(secret) {
      delete secret.deletedAt;
      delete secret.purgeAt;
    },
    putVersion(secret, token, value, stages) {
      checkValue(value);
      const existing = secret.versions.get(token);
      if (existing && !sameValue(existing, value)) {
        throw new AwsError('ResourceExistsException', "You can't modify the value of an existing version.");
      }
      const version = existing ?? { id: token, stages: new Set<string>(), createdAt: now(), ...value };
      secret.versions.set(token, version);
      // A repeated request must not move labels back after a later version has taken them.
      if (!existing) for (const stage of stages) moveStage(secret, stage, version);
      secret.changedAt = now();
      forgetOldVersions(secret);
      return version;
    },
    version: versionOf,
  };
}

function versionOf(secret: Secret, versionId: string | undefined, stage: string | undefined): SecretVersion {
  const label = stage ?? (versionId === undefined ? 'AWSCURRENT' : undefined);
  if (versionId === undefined) {
    const labelled = [...secret.versions.values()].find((version) => version.stages.has(label ?? ''));
    if (labelled) return labelled;
    throw notFound(`Secrets Manager can't find the specified secret value for staging label: ${label ?? ''}`);
  }
  const version = secret.versions.get(versionId);
  if (!version) {
    throw notFound(`Secrets Manager can't find the specified secret value for VersionId: ${versionId}`);
  }
  if (label !== undefined && !version.stages.has(label)) {
    throw invalidRequest('You provided a VersionStage that is not associated to the provided VersionId.');
  }
  return version;
}

/** A label is on one version only; when AWSCURRENT moves, the version it leaves becomes AWSPREVIOUS. */
function moveStage(secret: Secret, stage: string, to: SecretVersion): void {
  const from = [...secret.versions.values()].find((version) => version.stages.has(stage));
  from?.stages.delete(stage);
  to.stages.add(stage);
  if (stage === 'AWSCURRENT' && from && from !== to) moveStage(secret, 'AWSPREVIOUS', from);
}

function forgetOldVersions(secret: Secret): void {
  for (const version of secret.versions.values()) {
    if (secret.versions.size <= MAX_VERSIONS) return;
    if (version.stages.size === 0) secret.versions.delete(version.id);
  }
}

function checkValue({ SecretString, SecretBinary }: SecretValue): void {
  if ((SecretString === undefined) === (SecretBinary === undefined)) {
    throw invalidParameter('You must provide either SecretString or SecretBinary.');
  }
  const bytes = Buffer.byteLength(
    SecretString ?? SecretBinary ?? '',
    SecretString === undefined ? 'base64' : 'utf8',
  );
  if (bytes === 0 || bytes > MAX_VALUE_BYTES) {
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: a secret value has 1 to ${MAX_VALUE_BYTES} bytes, not ${bytes}`,
    );
  }
}

export function sameValue(a: SecretValue, b: SecretValue): boolean {
  return a.SecretString === b.SecretString && a.SecretBinary === b.SecretBinary;
}

function suffix(): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from(randomBytes(6), (byte) => letters[byte % letters.length]).join('');
}

export const notFound = (message: string) => new AwsError('ResourceNotFoundException', message);
export const invalidRequest = (message: string) => new AwsError('InvalidRequestException', message);
export const invalidParameter = (message: string) => new AwsError('InvalidParameterException', message);
