// What CloudWatch has measured: one call, made with parts of the SDK that its other clients bring along.

import type { SFNClient } from '@aws-sdk/client-sfn';
import { partition } from '@aws-sdk/core/client';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import type { MetricSeen, MetricsAsked } from '../target.ts';
import { asked } from './asked.ts';

/** As the SDK's own client names the service: `serviceTarget` of `@aws-sdk/client-cloudwatch`, in AWS's JSON 1.0. */
const TARGET = 'GraniteServiceVersion20100801.GetMetricData';
const ANSWER_MS = 20_000;
/** Of one answer that comes in pieces. */
const MAX_PAGES = 5;

interface Answer {
  readonly MetricDataResults?: readonly {
    readonly Id?: string;
    readonly Label?: string;
    readonly Timestamps?: readonly number[];
    readonly Values?: readonly number[];
  }[];
  readonly NextToken?: string;
}

/** @param client whose region and credentials count */
export async function metricsOf(client: SFNClient, wanted: MetricsAsked): Promise<readonly MetricSeen[]> {
  const call = { what: 'asking CloudWatch', action: 'cloudwatch:GetMetricData' };
  const seen: MetricSeen[] = [];
  let NextToken: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const input = {
      StartTime: wanted.from / 1_000,
      EndTime: wanted.to / 1_000,
      ScanBy: 'TimestampAscending',
      MetricDataQueries: wanted.queries,
      NextToken,
    };
    const answer: Answer = await asked(call, () => send(client, JSON.stringify(input)));
    for (const { Id = '', Label = '', Timestamps = [], Values = [] } of answer.MetricDataResults ?? [])
      seen.push({
        id: Id,
        label: Label,
        points: Timestamps.map((at, index) => [at * 1_000, Values[index] ?? 0]),
      });
    NextToken = answer.NextToken;
    if (NextToken === undefined) break;
  }
  return seen;
}

/** @throws Error by AWS's name for it */
async function send({ config }: SFNClient, body: string): Promise<Answer> {
  const region = await config.region();
  const url = new URL(endpointIn(region));
  const signer = new SignatureV4({
    service: 'monitoring',
    region,
    credentials: config.credentials,
    sha256: Sha256,
  });
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port !== '' && { port: Number(url.port) }),
    path: '/',
    query: {},
    headers: { host: url.host, 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': TARGET },
    body,
  });
  // `fetch` names the host by itself.
  delete headers.host;
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body,
    signal: AbortSignal.timeout(ANSWER_MS),
  }).catch(unreached);
  const answer = (await response.json().catch(() => ({}))) as Answer & { readonly __type?: string };
  if (response.ok) return answer;
  const name = (answer.__type ?? `status ${response.status}`).replace(/^.*#/, '');
  throw Object.assign(new Error(`CloudWatch answers ${response.status}`), {
    name,
    $metadata: { httpStatusCode: response.status },
  });
}

/** @throws Error as the SDK tells that nobody answers */
function unreached(cause: unknown): never {
  throw Object.assign(new Error('it did not answer', { cause }), { name: 'TimeoutError' });
}

/** The same settings as for the SDK's clients: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html */
function endpointIn(region: string): string {
  const { AWS_ENDPOINT_URL_CLOUDWATCH: own, AWS_ENDPOINT_URL: all } = process.env;
  return own ?? all ?? `https://monitoring.${region}.${partition(region).dnsSuffix}`;
}
