// Writes the table of what is simulated, and how sure we are, as a page.

import { QUIRK_NAMES, QUIRKS } from '../quirks.ts';
import { type Fact, factsOf, type Part, SURE } from './fact.ts';
import { TABLE } from './table.ts';

export function fidelityPage(): string {
  return `# What is simulated, and who says so

Written by \`npm run generate\` from [local/aep/fidelity/table.ts](../local/aep/fidelity/table.ts). How sure we are:

- **documented**: a page or a published API description of Adobe's says so,
- **observed**: the code or the notes of others show it, Adobe's own clients among them,
- **conflicting**: Adobe's material says two things; the last column says which is played,
- **ours**: nobody says.

Nothing here was tried against a live organization. Names with \`.yaml\` are files of
[AdobeDocs/experience-platform-apis](https://github.com/AdobeDocs/experience-platform-apis); paths without a host are pages below
\`experienceleague.adobe.com/docs/experience-platform/\`. What is not simulated is listed at \`/_simulator/\`.

${counted()}

${TABLE.map(section).join('\n\n')}

## Quirks

Where Adobe's material says two things and a switch plays either: \`--quirk NAME=VARIANT\` of \`npm run simulate\` and \`npm start\`. The first variant is the default, the one that is best supported.

| Quirk | What | Variant | Who says so |
| --- | --- | --- | --- |
${QUIRK_NAMES.flatMap(variants).join('\n')}
`;
}

function variants(name: keyof typeof QUIRKS): string[] {
  const { what, variants } = QUIRKS[name];
  return variants.map(
    ({ name: variant, does, source }) => `| \`${name}\` | ${what} | \`${variant}\`: ${does} | ${source} |`,
  );
}

function counted(): string {
  const facts = TABLE.flatMap(({ endpoints, behaviours }) => [...factsOf(endpoints), ...factsOf(behaviours)]);
  const counts = SURE.map((sure) => `${facts.filter((fact) => fact.sure === sure).length} ${sure}`);
  return `${facts.length} rows: ${counts.join(', ')}.`;
}

function section({ name, base, endpoints, behaviours }: Part): string {
  const rows = [
    ...factsOf(endpoints).map((fact) => row(fact, true)),
    ...factsOf(behaviours).map((fact) => row(fact)),
  ];
  const below = base === '' ? '' : `\nBelow \`${base}\`:\n`;
  return `## ${name}
${below}
| What | How sure | Source | Here |
| --- | --- | --- | --- |
${rows.join('\n')}`;
}

function row({ what, sure, source, note }: Fact, code = false): string {
  return `| ${code ? `\`${what}\`` : what} | ${sure} | ${source} | ${note} |`;
}
