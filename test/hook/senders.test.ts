import { describe, expect, it } from 'vitest';
import { bodyOf, busEvent, fromGithub, hookWorld, standard } from '../support/hooks.ts';

// What each sender's deliveries ask for.

const repository = { default_branch: 'main', full_name: 'acme/clicks' };
const sender = { login: 'somebody' };
const push = { ref: 'refs/heads/main', repository, sender, pusher: { name: 'somebody' }, deleted: false };
const workflow = {
  action: 'completed',
  repository,
  sender,
  workflow_run: { conclusion: 'success', head_branch: 'main', path: '.github/workflows/deploy.yml' },
};
const deployment = {
  repository,
  sender,
  deployment_status: { state: 'success' },
  deployment: { payload: {}, environment: 'production' },
};

describe('GitHub', () => {
  it.each([
    ['a push to the default branch', push],
    ['a workflow that has succeeded', workflow],
    ['a deployment that has succeeded', deployment],
    ['the same with a payload of others', { ...deployment, deployment: { payload: 'text' } }],
    ['the same with none', { ...deployment, deployment: null }],
  ])('starts what the deployment says after %s', async (_, body) => {
    const own = hookWorld({ environment: { PENSTOCK_HOOK_STARTS: 'clicks' } });
    expect(await own.send(fromGithub(body))).toMatchObject({ statusCode: 202 });
    expect(own.executions.list().map(({ name }) => name)).toEqual([expect.stringMatching(/^clicks-/)]);
  });

  it.each([
    { penstock: { pipeline: 'customer-profiles' } },
    '{"penstock": {"pipeline": "customer-profiles"}}',
  ])('starts what the payload of a deployment says: %j', async (payload) => {
    const own = hookWorld();
    const body = { ...deployment, deployment: { payload } };
    expect(await own.send(fromGithub(body))).toMatchObject({ statusCode: 202 });
    expect(own.executions.list().map(({ name }) => name)).toEqual([
      expect.stringMatching(/^customer-profiles-/),
    ]);
  });

  it.each([
    ['a ping', { zen: 'Keep it logically awesome.', hook_id: 1, hook: { type: 'Repository' }, sender }],
    ['a push to another branch', { ...push, ref: 'refs/heads/other' }],
    ['a tag', { ...push, ref: 'refs/tags/main' }],
    ['a branch that is deleted', { ...push, deleted: true }],
    [
      'a workflow that has failed',
      { ...workflow, workflow_run: { ...workflow.workflow_run, conclusion: 'failure' } },
    ],
    ['a workflow that begins', { ...workflow, action: 'requested' }],
    [
      'a workflow of another branch',
      { ...workflow, workflow_run: { ...workflow.workflow_run, head_branch: 'x' } },
    ],
    ['a deployment under way', { ...deployment, deployment_status: { state: 'in_progress' } }],
    ['an issue', { action: 'opened', issue: { title: 'x' }, repository, sender }],
    ['an event full of nothing', { sender, deployment_status: null, workflow_run: null, ref: null }],
    ['a default branch that is not said', { ...push, repository: {} }],
  ])('starts nothing after %s, and says so', async (_, body) => {
    const own = hookWorld();
    const answer = await own.send(fromGithub(body));
    expect(answer.statusCode).toBe(200);
    expect(bodyOf(answer)).toEqual({ executions: [], nothing: expect.any(String) });
    expect(own.executions.list()).toEqual([]);
  });

  it('does not let a payload ask for what is not allowed', async () => {
    const own = hookWorld();
    for (const penstock of [{ pipeline: 'nobody' }, { pipeline: 'clicks', mode: 'retire' }, 7]) {
      const body = { ...deployment, deployment: { payload: { penstock } } };
      expect(await own.send(fromGithub(body))).toMatchObject({ statusCode: 400 });
    }
    expect(own.executions.list()).toEqual([]);
  });
});

describe('Standard Webhooks', () => {
  it('may come in the envelope of the specification', async () => {
    const own = hookWorld();
    const body = {
      type: 'deploy.succeeded',
      timestamp: '2026-11-27T12:00:00Z',
      data: { pipeline: 'clicks' },
    };
    expect(await own.send(standard(body))).toMatchObject({ statusCode: 202 });
    expect(await own.send(standard({ ...body, more: 1 }, { id: 'msg_2' }))).toMatchObject({
      statusCode: 400,
    });
  });
});

const codePipeline = (state: string, id?: string) =>
  busEvent(
    'aws.codepipeline',
    'CodePipeline Pipeline Execution State Change',
    { pipeline: 'deploy', 'execution-id': 'x', state },
    id,
  );
const codeDeploy = (state: string) =>
  busEvent('aws.codedeploy', 'CodeDeploy Deployment State-change Notification', { application: 'a', state });
const cloudFormation = (status: string) =>
  busEvent('aws.cloudformation', 'CloudFormation Stack Status Change', {
    'stack-id': 'arn',
    'status-details': { status, 'status-reason': '' },
  });
const penstock = (detail: object, id?: string, source = 'deploy.example') =>
  busEvent(source, 'penstock', detail, id);

describe('the bus', () => {
  it.each([
    ['CodePipeline', codePipeline('SUCCEEDED')],
    ['CodeDeploy', codeDeploy('SUCCESS')],
    ['CloudFormation, created', cloudFormation('CREATE_COMPLETE')],
    ['CloudFormation, updated', cloudFormation('UPDATE_COMPLETE')],
    ['somebody of the account', penstock({ pipeline: 'all' })],
  ])('starts all pipelines after %s, once', async (_, event) => {
    const own = hookWorld();
    const first = await own.hook(event);
    expect(await own.hook(event)).toEqual(first);
    expect(first).toMatchObject({ executions: [{ pipeline: 'clicks' }, { pipeline: 'customer-profiles' }] });
    expect(own.executions.list()).toHaveLength(2);
    expect(own.state.reads).toBe(0);
  });

  it.each([
    ['CodePipeline', codePipeline('FAILED')],
    ['CodePipeline', codePipeline('STARTED')],
    ['CodeDeploy', codeDeploy('FAILURE')],
    ['CodeDeploy', busEvent('aws.codedeploy', 'CodeDeploy Deployment State-change Notification', {})],
    ['CloudFormation', cloudFormation('UPDATE_ROLLBACK_COMPLETE')],
    ['CloudFormation', cloudFormation('DELETE_COMPLETE')],
    ['CloudFormation', busEvent('aws.cloudformation', 'CloudFormation Stack Status Change', {})],
  ])('starts nothing after what has not come to a good end: %s', async (_, event) => {
    const own = hookWorld();
    expect(await own.hook(event)).toEqual({ executions: [], nothing: expect.any(String) });
    expect(own.executions.list()).toEqual([]);
  });

  it('takes another event for another one, and one that was put twice under one id for one', async () => {
    const own = hookWorld();
    await own.hook(penstock({ pipeline: 'clicks' }, 'e-1'));
    await own.hook(penstock({ pipeline: 'clicks' }, 'e-2'));
    expect(own.executions.list()).toHaveLength(2);
    const first = await own.hook(penstock({ pipeline: 'clicks', id: 'deploy-42' }, 'e-3'));
    expect(await own.hook(penstock({ pipeline: 'clicks', id: 'deploy-42' }, 'e-4'))).toEqual(first);
    expect(own.executions.list()).toHaveLength(3);
    // Another source is another sender.
    await own.hook(penstock({ pipeline: 'clicks', id: 'deploy-42' }, 'e-4', 'other.example'));
    expect(own.executions.list()).toHaveLength(4);
  });

  it('fails where it cannot, so that the event comes again', async () => {
    const own = hookWorld();
    const { describe: _, ...rest } = own.executions;
    expect(rest.failures).toEqual([]);
    for (const detail of [{}, { pipeline: 'nobody' }, { pipeline: 'clicks', more: 1 }, { manifest: {} }])
      await expect(own.hook(penstock(detail))).rejects.toMatchObject({ code: 'EVENT_INVALID' });
    expect(own.executions.list()).toEqual([]);
  });

  it('says nothing in a log of what is wrong with a manifest', async () => {
    const own = hookWorld({ environment: { PENSTOCK_HOOK_MANIFESTS: 'yes' } });
    const failing = own.hook(penstock({ manifest: { name: 'canary-4711', version: 'canary-4711' } }));
    await expect(failing).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
    await expect(failing).rejects.not.toMatchObject({ stack: expect.stringContaining('canary') });
    expect(own.logged.join()).not.toContain('canary');
  });

  it('where the deployment names a pipeline that is not there, says whose mistake it is', async () => {
    const own = hookWorld({ environment: { PENSTOCK_HOOK_STARTS: 'nobody' } });
    await expect(own.hook(codePipeline('SUCCEEDED'))).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
      message: expect.stringContaining('PENSTOCK_HOOK_STARTS'),
    });
    expect(await own.send(fromGithub(push))).toMatchObject({ statusCode: 500 });
  });
});

describe('an event that is no hook’s', () => {
  it.each([
    null,
    undefined,
    7,
    'x',
    [],
    {},
    { pipeline: 'clicks' },
    { Records: [] },
    { requestContext: {} },
    { requestContext: { http: {} }, body: 7 },
    busEvent('aws.events', 'Scheduled Event', {}),
    busEvent('aws.codepipeline', 'CodePipeline Stage Execution State Change', { state: 'SUCCEEDED' }),
    busEvent('somebody', 'CodePipeline Pipeline Execution State Change', { state: 'SUCCEEDED' }),
    busEvent('aws.something', 'penstock', { pipeline: 'clicks' }),
    { ...penstock({}), detail: [] },
    { ...penstock({ pipeline: 'clicks' }), id: 7 },
  ])('is answered with what is accepted: %j', async (event) => {
    const own = hookWorld();
    await expect(own.hook(event)).rejects.toMatchObject({
      code: 'EVENT_INVALID',
      message: expect.stringContaining('events/deploy-hook.json'),
    });
    expect(own.executions.list()).toEqual([]);
  });
});
