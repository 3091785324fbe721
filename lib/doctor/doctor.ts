// The health check: tests everything that a pipeline depends on, and changes nothing.
import { notAccepted } from '../accepted.ts';
import { isPulledIn } from '../kept-manifest.ts';
import type { DoctorRuntime } from '../runtime.ts';
import * as z from '../zod.ts';
import { type Check, examine, type Finding, type State } from './check.ts';
import { clock, secret, token } from './credentials.ts';
import { type Patient, patientOf } from './patient.ts';
import { batches, connection, flowCheck, inlet, mappingCheck, permitted, sandbox } from './platform.ts';
import { recordAsked } from './record.ts';
import { routesCheck } from './routes.ts';
import { runs } from './runs.ts';
import { deadLetters, published, recordAge, stream, triggerCheck } from './stream.ts';

interface DoctorCheck extends Check<Patient> {
  /** Only for a pipeline whose stream Lambda reads. */
  readonly inlet?: true;
}

/** A check comes after those it needs. */
export const CHECKS: readonly DoctorCheck[] = [
  { name: 'runs', needs: [], look: runs },
  { name: 'secret', needs: [], look: secret },
  { name: 'token', needs: ['secret'], look: token },
  { name: 'clock', needs: [], look: clock },
  { name: 'sandbox', needs: ['runs', 'token'], look: sandbox },
  { name: 'stream', needs: ['runs'], look: stream, inlet: true },
  { name: 'published', needs: ['stream'], look: published, inlet: true },
  { name: 'routes', needs: ['published'], look: routesCheck, inlet: true },
  { name: 'flow', needs: ['sandbox', 'published'], look: permitted(flowCheck) },
  { name: 'mapping', needs: ['flow'], look: permitted(mappingCheck) },
  { name: 'connection', needs: ['flow'], look: permitted(connection) },
  { name: 'inlet', needs: ['published'], look: inlet, inlet: true },
  { name: 'trigger', needs: ['stream'], look: triggerCheck, inlet: true },
  { name: 'record-age', needs: ['trigger'], look: recordAge, inlet: true },
  { name: 'dead-letter', needs: [], look: deadLetters, inlet: true },
  { name: 'batches', needs: ['flow'], look: permitted(batches) },
];

const Question = z.strictObject({
  pipeline: z.string().check(z.minLength(1)),
  doctor: z.literal(true),
});

/** Whether an event asks for the health check, and not for the status. */
export function asksForDoctor(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'doctor' in event;
}

export interface Diagnosis {
  readonly pipeline: string;
  /** Whether every check is ok. */
  readonly ok: boolean;
  /** The result in a line: what is not ok, and what was not checked. */
  readonly says: string;
  readonly checkedAt: string;
  readonly checks: readonly Finding[];
}

/**
 * Tests everything that a pipeline depends on, at the same time, and changes nothing.
 * @throws Failure `EVENT_INVALID` if the event is no such question, or the pipeline is not known.
 * @throws Failure `AWS_*` of the ledger
 */
export async function doctor(event: unknown, runtime: DoctorRuntime): Promise<Diagnosis> {
  const question = Question.safeParse(event);
  if (!question.success)
    throw notAccepted('status', 'this is not a request for a health check', question.error.issues);
  const { pipeline } = question.data;
  const record = await recordAsked(pipeline, runtime);
  const checks = await examine(checksFor(record.manifest), patientOf(record, runtime));
  return {
    pipeline,
    ok: checks.every(({ state }) => state === 'ok'),
    says: `${pipeline}: ${summary(checks)}`,
    checkedAt: new Date(runtime.clock.now()).toISOString(),
    checks,
  };
}

function checksFor(manifest: unknown): readonly DoctorCheck[] {
  return isPulledIn(manifest) ? CHECKS.filter(({ inlet }) => inlet !== true) : CHECKS;
}

function summary(checks: readonly Finding[]): string {
  const of = (state: State) => checks.filter((finding) => finding.state === state);
  const [wrong, unknown] = [of('not ok'), of('unknown')];
  if (wrong.length + unknown.length === 0) return `all ${checks.length} checks are ok`;
  const parts = [
    ...wrong.map(({ check, found }) => `${check} is not ok (${found.slice(0, 200)})`),
    ...(unknown.length > 0 ? [`not checked: ${unknown.map(({ check }) => check).join(', ')}`] : []),
  ];
  return parts.join('; ').replaceAll(/\s+/g, ' ');
}
