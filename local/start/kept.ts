// What `npm start -- --keep` leaves running, in lines to copy: addresses, and what points the AWS CLI to this machine.
import { insideOf } from '../aep/access.ts';
import { functionName } from './functions.ts';
import type { Stack } from './stack.ts';

/** Whoever signs with it is taken for GitHub by the deploy hook here. events/deploy-hook-url.json is signed with it. */
export const HOOK_KEY = 'fake-github-key-0123456789';

/** Makes the secret without which the deploy hook is not set up. */
export async function prepareHook(stack: Stack): Promise<void> {
  await stack.createSecret('penstock/dev/hook', { github: { key: HOOK_KEY } });
}

/** For the pipeline of that name. @param page the address of the page, with its token */
export function keptLines(stack: Stack, name: string, page: string): string[] {
  const doctor = `--payload '{"pipeline": "${name}", "doctor": true}' answer.json`;
  return [
    '',
    'Everything is kept running. Press Ctrl-C to end it.',
    `  the page             ${page}`,
    `  simulated platform   ${stack.platform.origin}`,
    `  what it knows        ${insideOf(stack.platform.origin, stack.platform.access)}`,
    `  dead-letter store    ${stack.deadLettersFolder}`,
    `  deploy hook          ${stack.hookUrl}  (its key for GitHub: ${HOOK_KEY})`,
    '',
    'For the AWS CLI, version 2 (the keys are fake; calls that are not simulated are refused):',
    `  ${awsVariables(stack)}`,
    'Then, for example, the health check of the pipeline:',
    `  aws lambda invoke --function-name ${functionName('status')} --cli-binary-format raw-in-base64-out --cli-read-timeout 0 ${doctor}`,
    '',
    'The functions are configured with:',
    ...Object.entries({ ...stack.aws.env, ...stack.settings }).map(
      ([variable, value]) => `  export ${variable}=${value}`,
    ),
  ];
}

/** What to give to a shell, so that a command of the AWS CLI goes to this machine. Version 1 knows the default region alone. */
function awsVariables({ awsUrl, aws }: Stack): string {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret } = aws.env;
  const variables = {
    AWS_ENDPOINT_URL: awsUrl,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: key,
    AWS_SECRET_ACCESS_KEY: secret,
  };
  const pairs = Object.entries(variables).map(([variable, value]) => `${variable}=${value}`);
  return `export ${pairs.join(' ')}`;
}
