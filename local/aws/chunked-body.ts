// A body in chunks as S3's clients sign them, with a checksum behind the last one: what is in it, put together.
// By AWS: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
import { AwsError, type AwsRequest } from './server.ts';

/** The body itself where it is not in chunks. Neither signatures nor checksums are looked at. */
export function bodyOf({ headers, body }: AwsRequest): string {
  const encodings = String(headers['content-encoding'] ?? '').split(',');
  if (!encodings.some((one) => one.trim() === 'aws-chunked')) return body;
  return Buffer.concat([...chunksOf(Buffer.from(body))]).toString('utf8');
}

/** Each has its length in bytes before it, in hexadecimal, and perhaps a signature behind a semicolon. The last one is empty. */
function* chunksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const [, length] = /^([0-9a-f]+)(?:;|$)/i.exec(bytes.toString('latin1', at, lineEnd)) ?? [];
    if (lineEnd === -1 || length === undefined)
      throw new AwsError('IncompleteBody', 'A chunk of the body has no length.');
    const start = lineEnd + 2;
    const end = start + Number.parseInt(length, 16);
    if (end === start) return;
    if (end > bytes.length)
      throw new AwsError('IncompleteBody', 'A chunk of the body is shorter than it says.');
    yield bytes.subarray(start, end);
    at = end + 2;
  }
}
