// What a policy of the docs allows whoever has it, judged by an IAM evaluator that others wrote.
import { readFileSync } from 'node:fs';
import { runSimulation } from '@cloud-copilot/iam-simulate';

export interface Policy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly {
    readonly Sid: string;
    readonly Action: string | readonly string[];
    readonly Resource: string | readonly string[];
  }[];
}

/** @param page below `docs/` @param name of the comment before the policy */
export function policyIn(page: string, name: string): Policy {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  const [, json = ''] = new RegExp(`<!-- ${name} -->\n\`\`\`json\n([^]*?)\n\`\`\``).exec(text) ?? [];
  return JSON.parse(json) as Policy;
}

/** @param contextVariables what conditions are about. @returns `Allowed`, `ImplicitlyDenied`, or why it cannot be judged. */
export async function judgedBy(
  policy: Policy,
  action: string,
  resource: string,
  contextVariables: Readonly<Record<string, string>> = {},
): Promise<string> {
  const accountId = '123456789012';
  const response = await runSimulation(
    {
      request: {
        action,
        principal: `arn:aws:iam::${accountId}:role/somebody`,
        resource: { resource, accountId },
        contextVariables: { ...contextVariables },
      },
      identityPolicies: [{ name: 'own', policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(action.startsWith('kms:') && { resourcePolicy: keyPolicyOf(accountId) }),
    },
    {},
  );
  // An action that is asked of no one resource is judged for all that there may be.
  return response.resultType === 'error' ? JSON.stringify(response) : response.overallResult;
}

/** AWS's default, which the stack's own key has too: the account's IAM decides. */
const keyPolicyOf = (accountId: string) => ({
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${accountId}:root` }, Action: 'kms:*', Resource: '*' },
  ],
});
