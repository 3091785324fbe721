// The deploy hook as it is packaged, told of a deployment.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { localExecutions } from '../../local/aws/executions.ts';
import { createFunctionHost } from '../../local/aws/function-host.ts';
import { startStatesApi } from '../../local/aws/states-api.ts';
import { provisioningArn } from '../../local/start/provisioning.ts';
import type { Folder } from './packaged.ts';

const EVENT = new URL('../../events/deploy-hook-codepipeline.json', import.meta.url);

/** What the hook in that folder answers where the same success is told twice, and what that started. */
export async function hooked({ folder }: Folder) {
  const stateMachineArn = provisioningArn('dev');
  const executions = localExecutions(stateMachineArn, async () => ({ status: 'SUCCEEDED', history: [] }));
  const states = await startStatesApi({ stateMachineArn, executions: () => executions });
  const module = join(folder, 'dist/functions/deploy-hook.cjs');
  const host = createFunctionHost({
    functions: { hook: { module, timeoutSeconds: 30 } },
    env: { AWS_ENDPOINT_URL_SFN: states.endpoint, PENSTOCK_STATE_MACHINE: stateMachineArn },
  });
  try {
    const event = JSON.parse(readFileSync(EVENT, 'utf8')) as object;
    const answers = [await host.invoke('hook', event), await host.invoke('hook', event)];
    const inputs = executions.all.map(({ input }) => input as { manifest: object; samples?: object });
    return {
      answers,
      started: inputs.map(({ manifest, samples }) => ({ manifest, ...(samples && { samples }) })),
    };
  } finally {
    await host.close();
    await states.close();
  }
}
