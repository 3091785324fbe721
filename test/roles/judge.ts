// Each call judged by IAM's rules as @cloud-copilot/iam-simulate has them: against the packaged role of whoever made it, and the key's own policy.
import { runSimulation, type Simulation } from '@cloud-copilot/iam-simulate';
import type { Call } from '../../local/aws/calls.ts';
import { LOCAL_ACCOUNT } from '../../local/aws/server.ts';
import { MACHINE } from '../../local/start/provisioning.ts';
import type { Packaged } from '../template/packaged.ts';
import { keyUseOf } from './key-uses.ts';
import { functionIn, type Resolved, resolved } from './resolve.ts';

const { region, accountId } = LOCAL_ACCOUNT;

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: { readonly StringEquals?: Readonly<Record<string, string>> };
}

interface Role {
  readonly id: string;
  readonly policy: { readonly Version: string; readonly Statement: readonly Statement[] };
}

/** What one call comes to. */
export interface Verdict {
  readonly call: Call;
  /** The call itself, or a use of the key that it asks for. */
  readonly what: string;
  readonly allowed: boolean;
  /** What the evaluator says where it did not let it through. */
  readonly why: string;
}

/** An action that a role has and nobody has used. */
export interface Unused {
  readonly role: string;
  readonly action: string;
  /** On what, in a few words: `on table/penstock-dev-pipelines`, `via s3`. */
  readonly where: string;
}

export interface Judge {
  /** @throws Error where nobody has a role for the caller */
  judge(call: Call): Promise<Verdict[]>;
  /** What the key's policy says to a service of AWS that uses the key by itself. */
  ofService(principal: string, action: string, context: Readonly<Record<string, string>>): Promise<Verdict>;
  /** Of all roles, what no call so far has used. */
  unused(): Unused[];
  readonly template: Resolved;
}

export function judgeOf(packaged: Packaged): Judge {
  const template = resolved(packaged.template);
  const roles = rolesIn(template);
  const used = new Set<string>();
  const key = template.arnOf('Key');
  const keyPolicy = renamed(template.value(packaged.template.Resources.Key?.Properties.KeyPolicy));

  const allows = async (role: Role, call: Call, resourcePolicy?: unknown): Promise<string | undefined> => {
    const simulation = simulationOf(call, role.policy, resourcePolicy);
    const { denied, granting } = await evaluated(simulation);
    for (const sid of granting) used.add(`${role.id} ${sid} ${call.action}`);
    return denied;
  };
  const verdict = (call: Call, what: string, denied: string | undefined): Verdict => ({
    call,
    what,
    allowed: denied === undefined,
    why: denied ?? '',
  });

  return {
    template,
    async judge(call) {
      const role = roles.get(call.by);
      if (role === undefined) throw new Error(`${call.by} has no role in the template`);
      const verdicts = [verdict(call, `${call.action} on ${call.resource}`, await allows(role, call))];
      for (const use of keyUsesOf(call, key)) {
        const denied = await allows(role, use, keyPolicy);
        verdicts.push(verdict(call, `${use.action} for ${call.action}`, denied));
      }
      return verdicts;
    },
    async ofService(principal, action, context) {
      const call: Call = { by: principal, action, resource: key, conditions: encryptionContext(context) };
      const { denied } = await evaluated(simulationOf(call, undefined, keyPolicy, principal));
      return verdict(call, `${action} by ${principal}`, denied);
    },
    unused: () =>
      [...new Map([...roles.values()].map((role) => [role.id, role])).values()].flatMap(({ id, policy }) =>
        policy.Statement.flatMap((statement) =>
          [statement.Action]
            .flat()
            .filter((action) => !used.has(`${id} ${statement.Sid} ${action}`))
            .map((action) => ({ role: id, action, where: whereOf(statement) })),
        ),
      ),
  };
}

function whereOf({ Resource, Condition }: Statement): string {
  const via = Condition?.StringEquals?.['kms:ViaService'];
  if (via !== undefined) return `via ${via.split('.')[0]}`;
  const [first = ''] = [Resource].flat();
  return `on ${first.split(':').slice(5).join(':') || first}`;
}

/** By the name that a function has in serverless.yml. */
function rolesIn(template: Resolved): Map<string, Role> {
  const found = template.ofType('AWS::IAM::Role').map(([id, { Properties }]): [string, Role] => {
    const policies = template.value(Properties.Policies) as { PolicyDocument: Role['policy'] }[];
    const Statement = policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    const numbered = Statement.map((one, index) => ({ ...one, Sid: `S${index}` }));
    return [id, { id, policy: renamed({ Version: '2012-10-17', Statement: numbered }) as Role['policy'] }];
  });
  const byId = new Map(found);
  const of = ({ 'Fn::GetAtt': [id = ''] }: { 'Fn::GetAtt': string[] }) => byId.get(id) as Role;
  return new Map([
    ...template
      .ofType('AWS::Lambda::Function')
      .map(([id, { Properties }]): [string, Role] => [functionIn(id), of(Properties.Role)]),
    ...template
      .ofType('AWS::StepFunctions::StateMachine')
      .map(([, { Properties }]): [string, Role] => [MACHINE, of(Properties.RoleArn)]),
  ]);
}

function keyUsesOf(call: Call, key: string): Call[] {
  const use = keyUseOf(call);
  if (use === undefined) return [];
  const conditions = {
    'kms:ViaService': `${use.service}.${region}.amazonaws.com`,
    ...encryptionContext(use.context),
  };
  return use.actions.map((action) => ({ by: call.by, action, resource: key, conditions }));
}

/**
 * The evaluator knows keys with a variable part by a slash before it, as in `aws:PrincipalTag/x`, and passes `kms:EncryptionContext:aws:logs:arn` over. So
 * it is given another name, in requests and in policies alike.
 */
const CONTEXT = /kms:EncryptionContext:([\w:]+)/g;
const renamedKey = (text: string) =>
  text.replaceAll(CONTEXT, (_, key: string) => `aws:PrincipalTag/context.${key.replaceAll(':', '.')}`);

function renamed(policy: unknown): unknown {
  return JSON.parse(renamedKey(JSON.stringify(policy)));
}

function encryptionContext(context: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(context).map(([key, value]) => [renamedKey(`kms:EncryptionContext:${key}`), value]),
  );
}

function simulationOf(
  call: Call,
  policy: unknown,
  resourcePolicy: unknown,
  principal = `arn:aws:sts::${accountId}:assumed-role/${call.by}/local`,
): Simulation {
  return {
    request: {
      action: call.action,
      principal,
      resource: { resource: call.resource, accountId },
      contextVariables: {
        'aws:SourceAccount': accountId,
        ...(call.conditions as Record<string, string | string[]>),
      },
    },
    identityPolicies: policy === undefined ? [] : [{ name: 'role', policy }],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(resourcePolicy !== undefined && { resourcePolicy }),
  };
}

/** Why it is denied, or which statements of the role let it through. What the evaluator cannot judge is denied. */
async function evaluated(simulation: Simulation): Promise<{ denied?: string; granting: string[] }> {
  const response = await runSimulation(simulation, {});
  if (response.resultType === 'error')
    return { denied: `it cannot be judged: ${JSON.stringify(response.errors)}`, granting: [] };
  if (response.resultType !== 'single') return { denied: 'it is about many resources', granting: [] };
  const { analysis, ignoredContextKeys = [] } = response.result;
  if (ignoredContextKeys.length > 0)
    return {
      denied: `${ignoredContextKeys.join(', ')} is no condition key of this action for AWS`,
      granting: [],
    };
  if (response.overallResult !== 'Allowed') return { denied: response.overallResult, granting: [] };
  const statements = analysis.identityAnalysis?.allowStatements ?? [];
  return { granting: statements.map(({ explain }) => String(explain.identifier)) };
}
