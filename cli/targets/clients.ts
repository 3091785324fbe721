// The clients of AWS that the command line uses, each made when it is asked for.
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { type Limited, limited } from '../../lib/aws/client.ts';

/** What points a client at an AWS; empty for what the SDK finds by itself. */
export interface Where {
  readonly endpoint?: string;
  readonly region?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A function may run for 900 s, and is asked once: a call that is repeated could send records twice. */
const INVOKING = { connectMs: 5_000, answerMs: 920_000, attempts: 1 };
const ASKING = { connectMs: 5_000, answerMs: 20_000, attempts: 4 };

/** By way of HTTPS_PROXY, but for the hosts of NO_PROXY, as AWS's own command line goes. What is asked over HTTP is on this machine. */
function byProxy(config: Limited) {
  return { ...config, requestHandler: { ...config.requestHandler, httpsAgent: { proxyEnv: process.env } } };
}

export interface Clients {
  lambda(): Promise<LambdaClient>;
  sfn(): Promise<SFNClient>;
  kinesis(): Promise<KinesisClient>;
  logs(): Promise<CloudWatchLogsClient>;
  s3(): Promise<S3Client>;
}

/** Made when they are asked for: each takes time to load. */
export function clientsOf(where: Where): Clients {
  const once = <T>(make: () => Promise<T>) => {
    let made: Promise<T> | undefined;
    return () => {
      made ??= make();
      return made;
    };
  };
  return {
    lambda: once(async () => {
      const { LambdaClient } = await import('@aws-sdk/client-lambda');
      return limited((config) => new LambdaClient({ ...byProxy(config), ...where }), INVOKING);
    }),
    sfn: once(async () => {
      const { SFNClient } = await import('@aws-sdk/client-sfn');
      return limited((config) => new SFNClient({ ...byProxy(config), ...where }), ASKING);
    }),
    kinesis: once(async () => {
      const { KinesisClient } = await import('@aws-sdk/client-kinesis');
      return limited((config) => new KinesisClient({ ...config, ...where }), ASKING);
    }),
    logs: once(async () => {
      const { CloudWatchLogsClient } = await import('@aws-sdk/client-cloudwatch-logs');
      return limited((config) => new CloudWatchLogsClient({ ...byProxy(config), ...where }), ASKING);
    }),
    s3: once(async () => {
      const { S3Client } = await import('@aws-sdk/client-s3');
      return limited((config) => new S3Client({ ...byProxy(config), ...where }), ASKING);
    }),
  };
}
