// Which files are mutated, and which tests have to notice: the nearest, and those of what uses the file that are quick.

export interface Subject {
  readonly file: string;
  readonly tests: readonly string[];
}

const PROVISION = [
  'adopt',
  'apply',
  'change',
  'drift',
  'edges',
  'limits',
  'repair',
  'report',
  'retire',
  'rollback',
  'same-name',
  'sandboxes',
  'schemas',
  'sources',
  'states',
  'steps',
].map((name) => `test/provision/${name}.test.ts`);

const SENDING = [
  'bounds',
  'environment',
  'forward',
  'memory',
  'outage',
  'send',
  'settle',
  'token-failures',
  'within',
].map((name) => `test/forward/${name}.test.ts`);

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
      'test/aws/undelivered.test.ts',
      'test/aws/undelivered-once.test.ts',
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
  within: { file: 'lib/forward/send/within.ts', tests: SENDING },
};
