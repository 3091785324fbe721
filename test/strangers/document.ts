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

Clients that nobody here wrote, against the simulated platform as \`npm run simulate\` starts it: Adobe's Python client (\`aepp\` from PyPI) and Adobe's IMS
libraries for Node (\`@adobe/aio-lib-ims\`, \`@adobe/aio-lib-core-auth\` from npm). \`npm run test:strangers\` installs them at fixed versions and takes every step below; \`.ci/run\` does so as well.
Made by \`node test/strangers/write.ts\` from the steps themselves; a test holds it against them.

What is different from a run against Adobe:

- The host of each request is replaced in the clients' HTTP layer (\`requests\`, \`fetch\`, \`https\`); any other host is refused.
- aepp is installed without packages for pictures, graphs and databases that it names and that the steps do not load.
- aepp is told to try nothing twice (\`retry: 0\`, a setting of its own), so that a step has one answer.
- Flows are warm at once (\`--warm-up 0\`), and where Adobe would be waited for, the simulated clock is moved on (\`later\`).

In aepp's tables \`_\` is the answer, or what the call threw. A **difference** says why an outcome is not what Adobe's platform gives: *not simulated* is answered with 501 and
\`"penstock": "not simulated"\`, *differs* is meant, and with a client's name in front it is the client's own doing. An empty one is what Adobe's pages, files or client say of the platform.
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
