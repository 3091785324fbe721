import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { acceptedIn, judge, ofCfnLint, ofCheckov } from '../../scripts/findings.ts';
import { noticeOf, packagesOf } from '../../scripts/notice.ts';

const accepted = acceptedIn(
  JSON.stringify([
    { tool: 'checkov', rule: 'CKV_1', where: ['*Function', 'Bucket'], why: 'there is a reason' },
    { tool: 'cfn-lint', rule: 'W1', where: ['Topic'], why: 'another one' },
  ]),
);
const finding = (tool: string, rule: string, where: string) => ({ tool, rule, where, message: 'said' });
const all = [
  finding('checkov', 'CKV_1', 'AFunction'),
  finding('checkov', 'CKV_1', 'BFunction'),
  finding('checkov', 'CKV_1', 'Bucket'),
  finding('cfn-lint', 'W1', 'Topic'),
];

describe('the review', () => {
  it('is content with what is on the list, all of it', () => {
    expect(accepted).toHaveLength(2);
    expect(judge(all, accepted)).toEqual([]);
  });

  it.each([
    finding('checkov', 'CKV_2', 'Bucket'),
    finding('checkov', 'CKV_1', 'BucketToo'),
    finding('checkov', 'CKV_1', 'MyBucket'),
    finding('cfn-lint', 'CKV_1', 'Bucket'),
  ])('names what is not: $tool $rule $where', (one) => {
    expect(judge([...all, one], accepted)).toEqual([`${one.tool} ${one.rule} at ${one.where}: said`]);
  });

  it('names what is on it and is not found any more, place by place', () => {
    expect(judge(all.slice(0, 2), accepted)).toEqual([
      'checkov CKV_1 at Bucket is accepted, and not found any more: take it off the list',
      'cfn-lint W1 at Topic is accepted, and not found any more: take it off the list',
    ]);
  });

  it('issue 13 B 6: reads a data file, and no record of a decision', () => {
    expect(() => acceptedIn('[{"tool": "checkov", "rule": "CKV_1"}]')).toThrow(/not an accepted finding/);
    for (const file of ['test/template/accepted-findings.json', 'test/roles/never-used.json']) {
      const list = acceptedIn(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));
      expect(list.length).toBeGreaterThan(2);
      for (const { why } of list) expect(why, file).not.toBe('');
    }
  });

  it('takes no row without a reason', () => {
    const silent = acceptedIn(
      JSON.stringify([{ tool: 'checkov', rule: 'CKV_1', where: ['Bucket'], why: '' }]),
    );
    expect(judge([finding('checkov', 'CKV_1', 'Bucket')], silent)).toEqual([
      'checkov CKV_1 is accepted without a reason',
    ]);
  });

  it('reads what the tools write', () => {
    const lint = [
      { Rule: { Id: 'W1' }, Message: 'said', Location: { Path: ['Resources', 'Topic', 'Properties'] } },
    ];
    expect(ofCfnLint(JSON.stringify(lint))).toEqual([finding('cfn-lint', 'W1', 'Topic')]);
    const failed = [{ check_id: 'CKV_1', check_name: 'said', resource: 'AWS::S3::Bucket.Bucket' }];
    const checkov = { results: { failed_checks: failed }, summary: { passed: 3, parsing_errors: 0 } };
    expect(ofCheckov(JSON.stringify(checkov))).toEqual([finding('checkov', 'CKV_1', 'Bucket')]);
  });

  it.each([
    { passed: 0, failed: 0 },
    { results: { failed_checks: [] }, summary: { passed: 0, parsing_errors: 0 } },
    { results: { failed_checks: [] }, summary: { passed: 9, parsing_errors: 1 } },
  ])('does not take it for a review where nothing was looked at: %j', (output) => {
    expect(() => ofCheckov(JSON.stringify(output))).toThrow(/did not review/);
  });
});

describe('the notice', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));

  it('names each package once, and each licence text once', () => {
    const files = [
      'lib/cleanup.ts',
      'node_modules/zod/a.js',
      'node_modules/zod/b.js',
      'node_modules/@smithy/core/c.js',
      'node_modules/@smithy/types/d.js',
    ];
    const packages = packagesOf(files, root);
    expect(packages.map(({ name }) => name)).toEqual(['@smithy/core', '@smithy/types', 'zod']);
    const notice = noticeOf(packages);
    expect(notice.match(/TERMS AND CONDITIONS FOR USE/g)).toHaveLength(1);
    expect(notice).toContain('@smithy/core, @smithy/types\n');
  });

  it('is not written for what is not permissive', () => {
    const folder = mkdtempSync(join(tmpdir(), 'penstock-'));
    try {
      mkdirSync(join(folder, 'node_modules/strict'), { recursive: true });
      const described = { name: 'strict', version: '1.0.0', license: 'GPL-3.0-only' };
      writeFileSync(join(folder, 'node_modules/strict/package.json'), JSON.stringify(described));
      expect(() => packagesOf(['node_modules/strict/index.js'], folder)).toThrow(
        /strict 1.0.0 is in a bundle, and its licence is GPL-3.0-only/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
