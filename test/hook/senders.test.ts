import { describe, expect, it } from 'vitest';
import { bodyOf, busEvent, fromGithub, hookWorld, standard } from '../support/hooks.ts';

// What each sender's deliveries ask for.

const repository = { id: 186853002, default_branch: 'main', full_name: 'acme/clicks' };
const fork = { id: 35129377, full_name: 'somebody/clicks' };
const sender = { login: 'somebody' };
const push = { ref: 'refs/heads/main', repository, sender, pusher: { name: 'somebody' }, deleted: false };
const workflow = {
  action: 'completed',
  repository,
  sender,
  // As octokit/webhooks has its schema: `event` and `head_repository` are there always.
  workflow_run: {
    conclusion: 'success',
    event: 'push',
    head_branch: 'main',
    head_repository: { id: 186853002, full_name: 'acme/clicks' },
    path: '.github/workflows/deploy.yml',
  },
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

  const ran = (change: object) => ({ ...workflow, workflow_run: { ...workflow.workflow_run, ...change } });
  const deployedBy = (change: object) => ({ ...deployment, workflow_run: { event: 'push', ...change } });

  it.each([
    ['a workflow of a fork, on a branch called main', ran({ head_repository: fork })],
    ['a workflow of a fork that is gone', ran({ head_repository: null })],
    ['a workflow that does not say whose commit it ran', ran({ head_repository: undefined })],
    [
      'a workflow of a repository without an id',
      { ...ran({ head_repository: {} }), repository: { default_branch: 'main' } },
    ],
    ['a workflow for a pull request', ran({ event: 'pull_request' })],
    ['a workflow for a pull request, with the secrets', ran({ event: 'pull_request_target' })],
    ['a workflow for a review', ran({ event: 'pull_request_review' })],
    ['a deployment by a workflow of a fork', deployedBy({ head_repository: fork })],
    ['a deployment by a workflow for a pull request', deployedBy({ event: 'pull_request' })],
    ['a pull request', { action: 'closed', number: 1, pull_request: { merged: true }, repository, sender }],
    ['a pull request that says of a deployment', { ...deployment, pull_request: { merged: true } }],
  ])('B 4: starts nothing after %s, and says so', async (_, body) => {
    const own = hookWorld();
    const answer = await own.send(fromGithub(body));
    expect(answer.statusCode).toBe(200);
    expect(bodyOf(answer).nothing).toMatch(/of a (fork|pull request)$/);
    expect(own.executions.list()).toEqual([]);
  });

  it.each([
    ['a workflow by hand', ran({ event: 'workflow_dispatch' })],
    ['a deployment by a workflow of its own', deployedBy({ head_repository: { id: 186853002 } })],
    ['a deployment by a workflow that names no repository', deployedBy({})],
    ['a deployment by no workflow', { ...deployment, workflow_run: null }],
  ])('B 4: starts what the deployment says after %s', async (_, body) => {
    const own = hookWorld();
    expect(await own.send(fromGithub(body))).toMatchObject({ statusCode: 202 });
  });

  const to = (environment: unknown, status: object = {}) => ({
    ...deployment,
    deployment: { payload: {}, environment },
    deployment_status: { state: 'success', ...status },
  });

  it.each([
    ['production', to('production'), 202],
    ['the same in another case', to('Production'), 202],
    ['one with a blank in its name', to('Preview EU'), 202],
    ['what the status says, which may change it', to('staging', { environment: 'production' }), 202],
    ['another one', to('staging'), 200],
    ['another one by the status', to('production', { environment: 'staging' }), 200],
    ['none', to(undefined), 200],
    ['what is no name', to(7), 200],
    [
      'another one, whatever it asks for',
      { ...to('x'), deployment: { payload: { penstock: { pipeline: 'clicks' } } } },
      200,
    ],
    ['none, for it is a push', push, 202],
    ['none, for it is a workflow', workflow, 202],
    ['none, for it is a request', { pipeline: 'clicks' }, 202],
  ])(
    'B 4: of those to the environments of hookEnvironments alone something starts: to %s',
    async (_, body, status) => {
      const own = hookWorld({ environment: { PENSTOCK_HOOK_ENVIRONMENTS: 'production, preview eu' } });
      const answer = await own.send(fromGithub(body));
      expect(answer.statusCode).toBe(status);
      expect(own.executions.list().length > 0).toBe(status === 202);
      if (status === 200)
        expect(bodyOf(answer).nothing).toContain('the hook is not deployed for this environment');
    },
  );

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
  });

  // What stood here before refused `more` beside `data`, which the specification allows.
  it.each([
    [
      'more beside data',
      { type: 'a.b', data: { pipeline: 'clicks' }, more: 1, id: 'evt_1', api_version: 'x' },
    ],
    ['no timestamp', { type: 'a.b', data: { pipeline: 'clicks' } }],
    [
      'what looks like a request beside data, which counts',
      { type: 'a.b', data: { pipeline: 'clicks' }, pipeline: 'nobody' },
    ],
    ['the data at the top', { type: 'a.b', timestamp: '2022-11-03T20:26:10.344522Z', pipeline: 'clicks' }],
    ['no envelope', { pipeline: 'clicks' }],
  ])('B 4: is read as the specification has it: %s', async (_, body) => {
    const own = hookWorld();
    expect(await own.send(standard(body))).toMatchObject({ statusCode: 202 });
    expect(own.executions.list().map(({ name }) => name)).toEqual([expect.stringMatching(/^clicks-/)]);
  });

  it.each([
    { type: 'a.b', data: { pipeline: 'clicks', more: 1 } },
    { type: 'a.b', data: null },
    { type: 'a.b', data: [] },
    { type: 'a.b', pipeline: 'clicks', more: 1 },
    { type: 7, data: { pipeline: 'clicks' } },
    { data: { pipeline: 'clicks' } },
    { type: 'a.b' },
  ])('B 4: is refused where what is asked for is not in our words: %j', async (body) => {
    const own = hookWorld();
    expect(await own.send(standard(body))).toMatchObject({ statusCode: 400 });
    expect(own.executions.list()).toEqual([]);
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
