// Every answer of the simulated platform against Adobe's published API descriptions, with a list of differences that have a reason.
// The descriptions are not part of the project: PENSTOCK_OPENAPI names a folder that holds them (AdobeDocs/experience-platform-apis).
import { beforeAll, describe, expect, test } from 'vitest';
import { type Answered, type Difference, type Judge, judgeOf } from './descriptions.ts';
import { type Allowed, DIFFERENCES, UNDESCRIBED } from './differences.ts';
import { penstock, visitor } from './journeys.ts';

const isOf = (allowed: Allowed, { operation, what }: Difference) =>
  allowed.operation.test(operation) && allowed.what.test(what);

const folder = process.env.PENSTOCK_OPENAPI;

describe.skipIf(!folder)('12 shown: every answer is as Adobe describes it', () => {
  const answers: Answered[] = [];
  const differences = new Map<string, Difference>();
  const undescribed = new Set<string>();
  let judge: Judge;

  beforeAll(async () => {
    judge = judgeOf(folder as string);
    await penstock(answers);
    await visitor(answers);
    for (const answer of answers) {
      const found = judge(answer);
      if (found === undefined) undescribed.add(`${answer.method} ${answer.path}`);
      for (const each of found?.differences ?? []) differences.set(`${each.operation}: ${each.what}`, each);
    }
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
