// Amazon S3 on loopback: objects of text in a folder that stands for every bucket, with the conditional writes of the API.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { objectsInFolder } from '../../lib/aws/objects-folder.ts';
import { type Asked, type Calls, noCalls } from './calls.ts';
import { bodyOf } from './chunked-body.ts';
import {
  AwsError,
  type AwsRequest,
  type AwsResponse,
  checkScope,
  type RunningServer,
  serve,
} from './server.ts';

interface Bucket {
  readonly objects: ReturnType<typeof objectsInFolder>;
  /** @throws Error where there is no such object */
  changedAt(key: string): Promise<Date>;
}

/** Any name stands for the folder; this is the one that Penstock has in its settings here. */
const NAME = 'dead-letters';

/** @param calls told of what functions ask for */
export async function startS3(folder: string, calls: Calls = noCalls): Promise<RunningServer> {
  const bucket: Bucket = {
    objects: objectsInFolder(folder),
    changedAt: async (key) => (await stat(join(folder, key))).mtime,
  };
  return serve('application/xml', async (request) => {
    try {
      checkScope(request, 's3');
      const [, name = '', path = ''] = /^\/([^/]+)\/?(.*)$/.exec(request.path) ?? [];
      const key = decodeURIComponent(path);
      calls.request(request.headers.authorization, () => asked(request.method, name, key, request.query));
      return await answer(bucket, request, name, key);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      const { status, type, message } = error;
      return { status, text: `<Error><Code>${type}</Code><Message>${escaped(message)}</Message></Error>` };
    }
  });
}

function asked(method: string, bucket: string, key: string, query: URLSearchParams): Asked[] {
  const arn = `arn:aws:s3:::${bucket}`;
  // A condition key of s3:ListBucket: AWS's service authorization reference. Which pipeline's folder it is, is of no account.
  const prefix = (query.get('prefix') ?? '').replace(/^([^/]+\/)[^/]+\/$/, '$1name/');
  const conditions = { 's3:prefix': prefix };
  if (key === '') return [{ api: 's3:ListObjectsV2', action: 's3:ListBucket', resource: arn, conditions }];
  const operation = `${method[0]}${method.slice(1).toLowerCase()}Object`;
  return [{ api: `s3:${operation}`, action: `s3:${operation}`, resource: `${arn}/${key}` }];
}

async function answer(bucket: Bucket, request: AwsRequest, name: string, key: string): Promise<AwsResponse> {
  const { method, query } = request;
  const { objects } = bucket;
  if (method === 'GET' && name === '') return buckets();
  if (method === 'GET' && key === '' && query.get('list-type') === '2') return list(bucket, query);
  if (key === '') throw notHere(request);
  if (method === 'GET' || method === 'HEAD') return get(bucket, key, method);
  if (method === 'PUT') return put(objects, request, key);
  if (method === 'DELETE') return remove(objects, request, key);
  throw notHere(request);
}

function buckets(): AwsResponse {
  const bucket = `<Bucket><Name>${NAME}</Name><CreationDate>${MADE_AT.toISOString()}</CreationDate></Bucket>`;
  return {
    status: 200,
    text: `<ListAllMyBucketsResult><Owner/><Buckets>${bucket}</Buckets></ListAllMyBucketsResult>`,
  };
}

/** When the bucket was made: with this process. */
const MADE_AT = new Date();

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html. A page is of a thousand keys of the folder: of a prefix, or grouped, it may have fewer. */
async function list(bucket: Bucket, query: URLSearchParams): Promise<AwsResponse> {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
  // The folder is listed whole from where the prefix has its last slash.
  const page = await bucket.objects.list(prefix.slice(0, prefix.lastIndexOf('/') + 1), after);
  const found = page.objects.filter(({ key }) => key.startsWith(prefix));
  const groupOf = (key: string) => {
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    return end === -1 ? undefined : key.slice(0, end + delimiter.length);
  };
  const groups = new Set(found.map(({ key }) => groupOf(key)).filter((group) => group !== undefined));
  const contents = await Promise.all(
    found
      .filter(({ key }) => groupOf(key) === undefined)
      .map(async ({ key, bytes }) => {
        const changed = (await bucket.changedAt(key)).toISOString();
        return `<Contents><Key>${escaped(key)}</Key><LastModified>${changed}</LastModified><Size>${bytes}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
      }),
  );
  const prefixes = [...groups].map(
    (group) => `<CommonPrefixes><Prefix>${escaped(group)}</Prefix></CommonPrefixes>`,
  );
  const last = page.objects.at(-1)?.key;
  const next =
    page.more && last !== undefined ? `<NextContinuationToken>${escaped(last)}</NextContinuationToken>` : '';
  const count = `<KeyCount>${contents.length + prefixes.length}</KeyCount>`;
  const text = `<ListBucketResult><IsTruncated>${page.more}</IsTruncated>${count}${next}${contents.join('')}${prefixes.join('')}</ListBucketResult>`;
  return { status: 200, text };
}

async function get(
  { objects, changedAt }: Bucket,
  key: string,
  method: 'GET' | 'HEAD',
): Promise<AwsResponse> {
  const found = await objects.read(key);
  if (found === undefined) throw new AwsError('NoSuchKey', key, 404);
  const headers = {
    etag: quoted(found.version),
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(found.text)),
    'last-modified': (await changedAt(key)).toUTCString(),
  };
  return { status: 200, headers, ...(method === 'GET' && { text: found.text }) };
}

async function put(objects: Bucket['objects'], request: AwsRequest, key: string): Promise<AwsResponse> {
  const { headers } = request;
  const body = bodyOf(request);
  const { 'if-match': version, 'if-none-match': none } = headers;
  if (version !== undefined && (await objects.read(key)) === undefined)
    throw new AwsError('NoSuchKey', key, 404);
  if (version !== undefined) met(await objects.replace(key, unquoted(version), body));
  else if (none === '*') met(await objects.create(key, body));
  else await objects.write(key, body);
  return { status: 200, headers: { etag: quoted((await objects.read(key))?.version ?? '') } };
}

async function remove(
  objects: Bucket['objects'],
  { headers }: AwsRequest,
  key: string,
): Promise<AwsResponse> {
  const version = headers['if-match'] ?? (await objects.read(key))?.version;
  if (version !== undefined) met(await objects.remove(key, unquoted(version)));
  return { status: 204 };
}

function met(condition: boolean): void {
  if (!condition) throw new AwsError('PreconditionFailed', 'At least one condition was not met', 412);
}

const quoted = (version: string) => `"${version}"`;
const unquoted = (etag: string) => etag.replaceAll('"', '');

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function notHere({ method, path }: AwsRequest): AwsError {
  return new AwsError(
    'NotImplemented',
    `The local AWS does not simulate this part of S3: ${method} ${path}`,
    501,
  );
}
