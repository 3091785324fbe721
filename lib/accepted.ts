// What each function accepts when somebody calls it by hand; events/ has an example of each.
import { Failure, issuesText } from './failure.ts';

export const ACCEPTED = {
  begin: [
    '{"manifest": {…}} (events/provision.json)',
    'the same with "mode": "plan", which changes nothing (events/plan.json), or "mode": "retire" (events/retire.json)',
    'and with it "samples", "deleteData", "warmUpSeconds", "drainSeconds", "sandbox": the name of the sandbox that it must be',
    'and for applying what was planned "token": that of the plan\'s report',
  ],
  step: [
    'the document that the state before it returned: {"version": 1, "mode", "manifest", "execution", "plan", "resources", …}; to get one start the state machine, or the function begin, with {"manifest": {…}} (events/provision.json)',
  ],
  report: [
    'the document that any state returned',
    'a request that was refused, with its {"failure": {"Error", "Cause"}}',
  ],
  status: [
    '{} for all pipelines',
    '{"pipeline": "name"} (events/status.json)',
    '{"version": true}: the version that the stack is of',
    '{"pipeline": "name", "sandbox": true}: the name and the type of its sandbox',
    '{"pipeline": "name", "doctor": true}: its health check (events/doctor.json)',
    '{"pipeline", "shardId", "sequenceNumber"} or {"pipeline", "_id"}: where a record is, with "arrivedAt" (ISO 8601) if the stream no longer has it (events/where.json)',
    'the same with "stream" or "streamArn" in place of "pipeline": on every route of the stream',
  ],
  drift: ['{} for all pipelines', '{"pipeline": "name"} (events/drift.json)', "a schedule's event"],
  import: [
    '{"sandbox": "name", "all": true}: a page of all flows (events/import.json), with "continue" of the last answer for the next one, and "limit"',
    'and with it "skipUnreadable": true, where flows in a row can never be read',
    '{"sandbox": "name", "flow": "id"}, and with it "name" for the pipeline',
    '{"sandbox": "name", "dataset": "id"}: the flows that fill it',
    'with a flow or a dataset also what AEP does not tell: "stream" of an inlet, "sourceCredentials" (the name of a secret) of the others',
    'and "credentials" of another organization, as manifests name them',
  ],
  tap: [
    '{"pipeline": "name"}: begins to look at its stream (events/tap.json)',
    'with "continue" of the last answer: the records that have come since, and "limit"',
  ],
  reconcile: [
    '{} for all pipelines',
    '{"pipeline": "name"} (events/reconcile.json)',
    '{"streamArn": "arn:…"}',
    'and with it "sandbox": the name of the sandbox that it must be',
    "a schedule's event",
  ],
  redrive: [
    '{"stream": "name", "source": "rejected" | "parked" | "unrouted" | "on-failure" | "stream"} (events/redrive.json, events/redrive-on-failure.json, events/redrive-parked.json)',
    'and with it "pipeline" if the stream has several (events/redrive-route.json)',
    'and with it "where", "limit", "rate", "dryRun", "continue", "sandbox": the name of the sandbox that it must be',
  ],
  deployHook: [
    '{"pipeline": "name" or "all"}, by hand, and with it "mode": "plan"',
    '{"source", "id", "detail-type": "penstock", "detail": {"pipeline": "name" or "all"}} (events/deploy-hook.json), in the detail also "mode": "plan" and "id"',
    'the same with {"manifest": {…}, "samples"} in place of "pipeline", if the deployment allows it (events/deploy-hook-manifest.json)',
    'state changes of CodePipeline, CodeDeploy and CloudFormation, as EventBridge brings them (events/deploy-hook-codepipeline.json)',
    "a request to the function's URL, signed by GitHub or by Standard Webhooks (docs/hooks.md)",
  ],
  forward: ['{"Records": […]}, Kinesis records of one stream as Lambda brings them (events/forward.json)'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/**
 * The failure of an event that a function does not understand: what is wrong with it, and all that is
 * accepted.
 */
export function notAccepted(
  by: keyof typeof ACCEPTED,
  what: string,
  issues: Parameters<typeof issuesText>[0] = [],
): Failure {
  const said = issues.length === 0 ? what : `${what}:\n${issuesText(issues)}`;
  return new Failure('EVENT_INVALID', said, { next: `Accepted: ${ACCEPTED[by].join('; ')}.` });
}

/** What a person asks. An event of a schedule, or none, asks for nothing in particular. */
export function askedBy(event: unknown): unknown {
  const scheduled =
    typeof event === 'object' && event !== null && 'source' in event && event.source === 'aws.events';
  return scheduled ? {} : (event ?? {});
}
