// docs/strangers.md: the steps of strangers' clients as tables, made from the steps themselves.

export interface Row {
  /** The part of the table it stands in. */
  readonly group: string;
  readonly call: string;
  readonly expected: string;
  /** Where the outcome is not what Adobe's platform gives, or where the client itself stands in the way. */
  readonly reason: string;
  /** Who still has to mend the simulator; else nothing. */
  readonly waits: string;
}

const HEAD = `# Strangers' clients

These are clients that others wrote, run against the simulated platform as \`npm run simulate\` starts it. They are Adobe's Python client (\`aepp\` from PyPI) and Adobe's IMS
libraries for Node (\`@adobe/aio-lib-ims\`, \`@adobe/aio-lib-core-auth\` from npm). \`npm run test:strangers\` installs them at fixed versions and takes every step below. So does \`.ci/run\`.
\`node test/strangers/write.ts\` writes this page from the steps; a test compares the two.

A run against Adobe would differ in this:

- The host of each request is replaced in the clients' HTTP layer (\`requests\`, \`fetch\`, \`https\`). Any other host is refused.
- aepp is installed without packages for pictures, graphs and databases. It names them, but the steps do not load them.
- aepp does not retry (\`retry: 0\`, a setting of its own), so that a step has one answer.
- Flows are warm at once (\`--warm-up 0\`). Where a client would wait for Adobe, the simulated clock is moved on (\`later\`).

In aepp's tables \`_\` is the answer, or what the call threw. A **difference** says why an outcome is not what Adobe's platform gives:

- *not simulated*: the answer is 501 with \`"penstock": "not simulated"\`.
- *differs*: the simulated platform differs on purpose.
- The name of a client: the client itself is the reason.
- Empty: the outcome is what Adobe's pages, files or client say of the platform.
`;

export function document(rows: readonly Row[]): string {
  const groups = [...new Set(rows.map(({ group }) => group))];
  const parts = groups.map((group) =>
    section(
      group,
      rows.filter((row) => row.group === group),
    ),
  );
  return `${HEAD}\n${counts(rows)}\n\n${parts.join('\n\n')}\n`;
}

function counts(rows: readonly Row[]): string {
  const plain = rows.filter(({ reason }) => reason === '').length;
  const client = rows.filter(({ reason }) => /^aepp:|^aio-/.test(reason)).length;
  return `${rows.length} steps: ${plain} without a difference, ${client} where the client itself stands in the way, ${rows.length - plain - client} where the simulated platform differs.`;
}

function section(group: string, rows: readonly Row[]): string {
  const lines = rows.map(
    ({ call, expected, reason, waits }, index) =>
      `| ${index + 1} | ${code(call)} | ${group.startsWith('@') ? cell(expected) : code(expected)} | ${cell(waits === '' ? reason : `${reason} (waits for ${waits})`.trim())} |`,
  );
  return `## ${group}\n\n| | Call | Expected | Difference |\n| --- | --- | --- | --- |\n${lines.join('\n')}`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
const code = (text: string): string => `\`${cell(text)}\``;
