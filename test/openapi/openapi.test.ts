// Every answer of the simulated platform against Adobe's published API descriptions, with a list of differences that have a reason.
// The descriptions are not part of the project: PENSTOCK_OPENAPI names a folder that holds them (AdobeDocs/experience-platform-apis), or
// they lie beside the project.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Answered, type Difference, judgeOf } from './descriptions.ts';
import { type Allowed, DIFFERENCES, UNDESCRIBED } from './differences.ts';
import { penstock, visitor } from './journeys.ts';
import { started } from './process.ts';

const isOf = (allowed: Allowed, { operation, what }: Difference) =>
  allowed.operation.test(operation) && allowed.what.test(what);

const BESIDE = fileURLToPath(new URL('../../../shared/openapi', import.meta.url));
const folder = process.env.PENSTOCK_OPENAPI || (existsSync(BESIDE) ? BESIDE : undefined);

describe.skipIf(!folder)('12 shown: every answer is as Adobe describes it', () => {
  const ofProcess: Answered[] = [];
  const differences = new Map<string, Difference>();
  const undescribed = new Set<string>();

  beforeAll(async () => {
    const judge = judgeOf(folder as string);
    const answers: Answered[] = [];
    await Promise.all([started(ofProcess), penstock(answers).then(() => visitor(answers))]);
    for (const answer of [...answers, ...ofProcess]) {
      const found = judge(answer);
      if (found === undefined) undescribed.add(`${answer.method} ${answer.path}`);
      for (const each of found?.differences ?? []) differences.set(`${each.operation}: ${each.what}`, each);
    }
  });

  test('and what a real npm start answers is among it, over its sockets, of the inlet as well', () => {
    const asked = new Set(ofProcess.map(({ method, path }) => `${method} ${path.split('/')[1]}`));
    for (const each of ['POST ims', 'GET data', 'POST data', 'PATCH data', 'DELETE data', 'POST collection'])
      expect(asked).toContain(each);
    // One of them in part: the fault that the process is given refuses two messages of a batch.
    const byInlet = ofProcess.filter(({ path }) => path.startsWith('/collection/batch/'));
    const entries = byInlet.flatMap(({ body }) => (body as { responses?: object[] }).responses ?? []);
    expect(entries.filter((each) => 'status' in each)).toHaveLength(2);
    expect(entries.length).toBeGreaterThan(250);
  });

  test('but for differences that have a reason', () => {
    const unexplained = [...differences].filter(([, one]) => !DIFFERENCES.some((each) => isOf(each, one)));
    expect(unexplained.map(([text]) => text).sort()).toEqual([]);
  });

  test('and every such difference is still there', () => {
    const all = [...differences.values()];
    expect(DIFFERENCES.filter((each) => !all.some((one) => isOf(each, one)))).toEqual([]);
  });

  test('and what nobody describes has a source of its own', () => {
    const all = [...undescribed];
    expect(all.filter((each) => !UNDESCRIBED.some(({ path }) => path.test(each)))).toEqual([]);
    expect(UNDESCRIBED.filter(({ path }) => !all.some((each) => path.test(each)))).toEqual([]);
  });
});
