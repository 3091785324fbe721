// Which files are mutated, and which tests have to notice: the nearest, and those of what uses the file that are quick.

export interface Subject {
  readonly file: string;
  readonly tests: readonly string[];
}

const PROVISION = [
  'test/provision/resources/adopt.test.ts',
  'test/provision/apply.test.ts',
  'test/provision/change.test.ts',
  'test/provision/plan/drift.test.ts',
  'test/provision/edges.test.ts',
  'test/provision/limits.test.ts',
  'test/provision/repair.test.ts',
  'test/provision/steps/report.test.ts',
  'test/provision/steps/retire.test.ts',
  'test/provision/steps/rollback.test.ts',
  'test/provision/same-name.test.ts',
  'test/provision/sandboxes.test.ts',
  'test/provision/resources/schemas.test.ts',
  'test/provision/resources/sources.test.ts',
  'test/provision/steps/states.test.ts',
  'test/provision/steps/steps.test.ts',
];

const SENDING = [
  'test/forward/bounds.test.ts',
  'test/forward/environment.test.ts',
  'test/forward/forward.test.ts',
  'test/forward/memory.test.ts',
  'test/forward/send/outage.test.ts',
  'test/forward/send/send.test.ts',
  'test/forward/settle.test.ts',
  'test/forward/send/token-failures.test.ts',
  'test/within.test.ts',
];

export const SUBJECTS: Readonly<Record<string, Subject>> = {
  settle: { file: 'lib/forward/settle.ts', tests: SENDING },
  memory: { file: 'lib/forward/memory.ts', tests: SENDING },
  'inlet-reply': {
    file: 'lib/aep/inlet-reply.ts',
    tests: ['test/aep/inlet.test.ts', 'test/aep/reply.test.ts', 'test/forward/send/send.test.ts'],
  },
  claims: {
    file: 'lib/aws/claims.ts',
    tests: [
      'test/aws/claims.test.ts',
      'test/aws/dead-letters.test.ts',
      'test/aws/dead-letters-once.test.ts',
      'test/redrive/redrive.test.ts',
    ],
  },
  rollback: { file: 'lib/provision/steps/rollback.ts', tests: PROVISION },
  resource: {
    file: 'lib/provision/resources/resource.ts',
    tests: ['test/provision/resources/resource.test.ts'],
  },
  signature: {
    file: 'lib/hook/signature.ts',
    tests: ['keys', 'once', 'senders', 'signature', 'verify'].map((name) => `test/hook/${name}.test.ts`),
  },
  within: { file: 'lib/within.ts', tests: SENDING },
};
