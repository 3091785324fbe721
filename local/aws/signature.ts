// Checks how a request is signed, by AWS Signature Version 4 ("Create a signed AWS API request", IAM User Guide).
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface SignedRequest {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** What the header `Authorization` says. */
export interface Signature {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

export function signatureIn(authorization: string | undefined): Signature | undefined {
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request,\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/.exec(
      authorization ?? '',
    );
  if (found === null) return undefined;
  const [, accessKeyId = '', date = '', region = '', service = '', headers = '', signature = ''] = found;
  return { accessKeyId, date, region, service, signedHeaders: headers.split(';'), signature };
}

/** Whether it was made with this secret, over this very request. */
export function isSignedWith(secretKey: string, given: Signature, request: SignedRequest): boolean {
  const { date, region, service, signature } = given;
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = [
    'AWS4-HMAC-SHA256',
    String(request.headers['x-amz-date'] ?? ''),
    scope,
    sha256(canonical(given, request)),
  ].join('\n');
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretKey}`);
  return timingSafeEqual(hmac(key, text), Buffer.from(signature, 'hex'));
}

function canonical({ signedHeaders }: Signature, { method, url, headers, body }: SignedRequest): string {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  searchParams.sort();
  // HTTP/2 calls the host by another name.
  const headerOf = (name: string) => headers[name] ?? (name === 'host' ? headers[':authority'] : undefined);
  const lines = signedHeaders.map(
    (name) =>
      `${name}:${String(headerOf(name) ?? '')
        .trim()
        .replace(/\s+/g, ' ')}`,
  );
  return [
    method,
    pathname,
    searchParams.toString(),
    ...lines,
    '',
    signedHeaders.join(';'),
    sha256(body),
  ].join('\n');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
