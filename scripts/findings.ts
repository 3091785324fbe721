// What the reviewers of the template found, against the list of what is accepted and why.

export interface Finding {
  readonly tool: string;
  readonly rule: string;
  /** Logical id of the resource, or of what else in the template. */
  readonly where: string;
  readonly message: string;
}

/** An entry of test/template/accepted-findings.json, or of test/roles/never-used.json. */
export interface Accepted {
  readonly tool: string;
  readonly rule: string;
  /** Logical ids; `*` stands for any letters. */
  readonly where: readonly string[];
  readonly why: string;
}

/** The list in a file's text. @throws where an entry is not as `Accepted` has it */
export function acceptedIn(text: string): Accepted[] {
  const list = JSON.parse(text) as Accepted[];
  for (const one of list) {
    const { tool, rule, where, why } = one;
    const isWhole = [tool, rule, why].every((value) => typeof value === 'string') && Array.isArray(where);
    if (!isWhole) throw new Error(`not an accepted finding: ${JSON.stringify(one)}`);
  }
  return list;
}

/** What is found and not accepted, what is accepted without a reason, and what is accepted and not found any more. */
export function judge(findings: readonly Finding[], accepted: readonly Accepted[]): string[] {
  const used = new Set<string>();
  const open = findings.filter((finding) => {
    const hits = accepted.flatMap((row) =>
      row.where.filter((where) => covers(row, where, finding)).map(keyOf(row)),
    );
    for (const hit of hits) used.add(hit);
    return hits.length === 0;
  });
  return [
    ...open.map(({ tool, rule, where, message }) => `${tool} ${rule} at ${where}: ${message}`),
    ...accepted
      .filter(({ why }) => why === '')
      .map(({ tool, rule }) => `${tool} ${rule} is accepted without a reason`),
    ...accepted
      .flatMap((row) => row.where.map(keyOf(row)))
      .filter((key) => !used.has(key))
      .map((key) => `${key} is accepted, and not found any more: take it off the list`),
  ];
}

const keyOf =
  ({ tool, rule }: Accepted) =>
  (where: string) =>
    `${tool} ${rule} at ${where}`;

function covers({ tool, rule }: Accepted, where: string, finding: Finding): boolean {
  const pattern = new RegExp(`^${where.replaceAll(/[^\w*]/g, '\\$&').replaceAll('*', '.*')}$`);
  return tool === finding.tool && rule === finding.rule && pattern.test(finding.where);
}

/** From the JSON of `cfn-lint --format json`. */
export function ofCfnLint(output: string): Finding[] {
  const found = JSON.parse(output) as {
    Rule: { Id: string };
    Message: string;
    Location: { Path: (string | number)[] | null };
  }[];
  return found.map(({ Rule, Message, Location }) => ({
    tool: 'cfn-lint',
    rule: Rule.Id,
    where: String(Location.Path?.[1] ?? '(template)'),
    message: Message,
  }));
}

/** From the JSON of `checkov --output json`. @throws where it could not read the template, or looked at nothing */
export function ofCheckov(output: string): Finding[] {
  const { results, summary } = JSON.parse(output) as {
    results?: { failed_checks: { check_id: string; check_name: string; resource: string }[] };
    summary?: { passed: number; parsing_errors: number };
  };
  if (results === undefined || summary === undefined || summary.parsing_errors > 0 || summary.passed === 0)
    throw new Error(`checkov did not review the template: ${output.slice(0, 500)}`);
  return results.failed_checks.map(({ check_id, check_name, resource }) => ({
    tool: 'checkov',
    rule: check_id,
    where: resource.slice(resource.lastIndexOf('.') + 1),
    message: check_name,
  }));
}
