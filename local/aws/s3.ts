// Amazon S3 on loopback: objects of text in a folder that stands for every bucket, with the conditional writes of the API.
import { objectsInFolder } from '../../lib/aws/objects-folder.ts';
import { type Asked, type Calls, noCalls } from './calls.ts';
import {
  AwsError,
  type AwsRequest,
  type AwsResponse,
  checkScope,
  type RunningServer,
  serve,
} from './server.ts';

type Objects = ReturnType<typeof objectsInFolder>;

/** @param calls told of what functions ask for */
export async function startS3(folder: string, calls: Calls = noCalls): Promise<RunningServer> {
  const objects = objectsInFolder(folder);
  return serve('application/xml', async (request) => {
    try {
      checkScope(request, 's3');
      const [, bucket = '', path = ''] = /^\/([^/]+)\/?(.*)$/.exec(request.path) ?? [];
      const key = decodeURIComponent(path);
      calls.request(request.headers.authorization, () => asked(request.method, bucket, key));
      return await answer(objects, request, key);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return { status: error.status, text: `<Error><Code>${error.type}</Code></Error>` };
    }
  });
}

function asked(method: string, bucket: string, key: string): Asked[] {
  const arn = `arn:aws:s3:::${bucket}`;
  if (key === '') return [{ api: 's3:ListObjectsV2', action: 's3:ListBucket', resource: arn }];
  const operation = `${method[0]}${method.slice(1).toLowerCase()}Object`;
  return [{ api: `s3:${operation}`, action: `s3:${operation}`, resource: `${arn}/${key}` }];
}

async function answer(objects: Objects, request: AwsRequest, key: string): Promise<AwsResponse> {
  const { method, query } = request;
  if (method === 'GET' && key === '' && query.get('list-type') === '2') return list(objects, query);
  if (key === '') throw notHere(request);
  if (method === 'GET') return get(objects, key);
  if (method === 'PUT') return put(objects, request, key);
  if (method === 'DELETE') return remove(objects, request, key);
  throw notHere(request);
}

async function list(objects: Objects, query: URLSearchParams): Promise<AwsResponse> {
  const prefix = query.get('prefix') ?? '';
  // A folder is listed whole: a prefix ends where a folder does.
  const page = await objects.list(prefix, query.get('start-after') ?? '');
  const contents = page.objects.map(
    ({ key, bytes }) => `<Contents><Key>${escaped(key)}</Key><Size>${bytes}</Size></Contents>`,
  );
  const text = `<ListBucketResult><IsTruncated>${page.more}</IsTruncated>${contents.join('')}</ListBucketResult>`;
  return { status: 200, text };
}

async function get(objects: Objects, key: string): Promise<AwsResponse> {
  const found = await objects.read(key);
  if (found === undefined) throw new AwsError('NoSuchKey', key, 404);
  const headers = { etag: quoted(found.version), 'content-type': 'application/json' };
  return { status: 200, headers, text: found.text };
}

async function put(objects: Objects, { headers, body }: AwsRequest, key: string): Promise<AwsResponse> {
  const { 'if-match': version, 'if-none-match': none } = headers;
  if (version !== undefined && (await objects.read(key)) === undefined)
    throw new AwsError('NoSuchKey', key, 404);
  if (version !== undefined) met(await objects.replace(key, unquoted(version), body));
  else if (none === '*') met(await objects.create(key, body));
  else await objects.write(key, body);
  return { status: 200, headers: { etag: quoted((await objects.read(key))?.version ?? '') } };
}

async function remove(objects: Objects, { headers }: AwsRequest, key: string): Promise<AwsResponse> {
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
  return new AwsError('NotImplemented', `Not available locally: ${method} ${path}`, 501);
}
