// The role of docs/pull-requests.md, judged by an evaluator that others wrote: all that plan and apply ask AWS for, and nothing else.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { judgedBy, policyIn } from '../../support/own-policy.ts';

const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
const ACCOUNT = '123456789012';
const at = (service: string, rest: string) => `arn:aws:${service}:eu-west-1:${ACCOUNT}:${rest}`;

const POLICY = policyIn('pull-requests.md', 'pull-requests');
const judged = (action: string, resource: string) => judgedBy(POLICY, action, resource);

/** What each command is asked of. */
const ON: Readonly<Record<string, string>> = {
  'lambda:InvokeFunction': at('lambda', 'function:penstock-prod-status'),
  'states:ListStateMachines': '*',
  'states:StartExecution': at('states', 'stateMachine:penstock-prod-provision'),
  'states:DescribeExecution': at('states', 'execution:penstock-prod-provision:0f1e2d3c'),
  'states:GetExecutionHistory': at('states', 'execution:penstock-prod-provision:0f1e2d3c'),
};

/** From the sources of the target: a new command has to be granted here. */
const ASKED = ['cli/targets/aws.ts', 'cli/targets/execution.ts']
  .flatMap((file) => [...read(file).matchAll(/new (\w+)Command\(/g)].map(([, name]) => name))
  .map((name) => (name === 'Invoke' ? 'lambda:InvokeFunction' : `states:${name}`));

describe('issue 15: the OIDC role has the least it needs', () => {
  it.each([...new Set(ASKED)])('may %s', async (action) => {
    expect(await judged(action, ON[action] ?? 'unknown')).toBe('Allowed');
  });

  it('has no action that is not used', () => {
    const granted = POLICY.Statement.flatMap(({ Action }) => Action);
    expect(granted.toSorted()).toEqual([...new Set(ASKED)].toSorted());
  });

  it.each([
    ['lambda:InvokeFunction', at('lambda', 'function:penstock-prod-redrive')],
    ['states:StartExecution', at('states', 'stateMachine:penstock-dev-provision')],
    ['secretsmanager:GetSecretValue', at('secretsmanager', 'secret:penstock/prod/credentials-a1b2c3')],
  ])('may not %s of %s', async (action, resource) => {
    expect(await judged(action, resource)).toBe('ImplicitlyDenied');
  });
});
