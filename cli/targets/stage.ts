// A deployed stage, with AWS's region and credentials as the SDK finds them.
import { WARM_UP_SECONDS } from '../../lib/waits.ts';
import { MistakeError } from '../../terminal/mistake.ts';
import type { Target } from '../target.ts';
import { awsTarget } from './aws.ts';
import { type TargetOptions, targetWords } from './options.ts';
import { ofSameVersion } from './same-version.ts';

const POLL_MS = 2_000;

/** @throws MistakeError where no region is known, or the stage's name is none */
export async function connectStage({
  stage,
  region: asked,
  env,
  isChanging,
  note,
}: TargetOptions & { readonly stage: string }): Promise<Target> {
  if (!/^[A-Za-z][A-Za-z0-9-]{0,30}$/.test(stage))
    throw new MistakeError(
      'USAGE',
      `"${stage}" is no name of a stage`,
      'Name the stage as it was deployed, such as --stage prod.',
    );
  const region = asked ?? (await regionIn(env));
  if (!/^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/.test(region))
    throw new MistakeError(
      'USAGE',
      `"${region}" is no name of a region`,
      'Name one of AWS, such as --region eu-west-1.',
    );
  checkAddresses(env);
  const target = awsTarget({
    name: `stage ${stage} in ${region}`,
    kind: 'stage',
    words: targetWords({ stage, region: asked }),
    stage,
    where: { region },
    warmUpSeconds: WARM_UP_SECONDS,
    outlives: true,
    pollMs: POLL_MS,
    prepare: () => Promise.resolve(),
    close: () => Promise.resolve(),
  });
  return ofSameVersion(target, { isChanging, note, stage, region });
}

/**
 * The SDK takes any text as an endpoint, and asks nobody. Node.js goes past a proxy that is no address. The value is not told: it may
 * hold a password.
 * @throws MistakeError where one is no address
 */
function checkAddresses(env: TargetOptions['env']): void {
  const areEndpointsUsed = env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS !== 'true';
  const isUsed = (name: string) => PROXY.test(name) || (areEndpointsUsed && ENDPOINT.test(name));
  const wrong = Object.entries(env).find(
    ([name, value]) => isUsed(name) && value !== undefined && value !== '' && !isAddress(value),
  );
  if (wrong === undefined) return;
  throw new MistakeError(
    'USAGE',
    `${wrong[0]} is no address with http:// or https://`,
    `Set it to one such as http://127.0.0.1:${PROXY.test(wrong[0]) ? 3128 : 4566}, or leave it out: unset ${wrong[0]}.`,
  );
}

/** https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html */
const ENDPOINT = /^AWS_ENDPOINT_URL(?:_[A-Z0-9_]+)?$/;

/** https://nodejs.org/api/http.html#built-in-proxy-support */
const PROXY = /^(?:https_proxy|HTTPS_PROXY)$/;

function isAddress(text: string): boolean {
  const address = URL.parse(text);
  return address !== null && /^https?:$/.test(address.protocol);
}

/** As the SDK finds it: the environment, then the profile. */
async function regionIn(env: TargetOptions['env']): Promise<string> {
  const named = env.AWS_REGION ?? env.AWS_DEFAULT_REGION;
  if (named !== undefined && named !== '') return named;
  const { SFNClient } = await import('@aws-sdk/client-sfn');
  try {
    return await new SFNClient({}).config.region();
  } catch (error) {
    throw new MistakeError(
      'NO_REGION',
      'no region is known: neither the environment nor the AWS profile names one',
      'Add --region, such as --region eu-west-1.',
      error,
    );
  }
}
