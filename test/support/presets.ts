// A manifest with a format that stands for rules, and what the forwarder makes of records by it.
import { publishedFormat } from '../../lib/formats.ts';
import { type InletSource, type Manifest, parseManifest } from '../../lib/manifest.ts';
import { transforming } from './transforming.ts';

/** `upsert`: into Profile, with operations; else one row after the other. */
export function presetManifest(source: object, upsert = true): Manifest {
  return parseManifest({
    version: 1,
    name: 'customers',
    sandbox: 'dev1',
    source: { kind: 'inlet', stream: 'customers', data: 'raw', ...source },
    schema: {
      class: 'profile',
      fieldGroups: ['profile-work-details'],
      identities: [{ path: 'workEmail.address', namespace: 'Email', primary: true }],
      profile: true,
    },
    dataset: { profile: true, ...(upsert && { upsert }) },
    allowIrreversible: true,
    mapping: [
      { source: 'id', destination: '_id' },
      { source: 'email', destination: 'workEmail.address' },
    ],
  });
}

export function rulesOf(source: object, upsert = true): InletSource['records'] {
  return (presetManifest(source, upsert).source as InletSource).records;
}

/** What is sent of each record: its operation and its body; or its verdict. */
export function throughPreset(source: object, upsert = true) {
  const { records, format, data } = presetManifest(source, upsert).source as InletSource;
  const published = publishedFormat(format);
  const take = transforming(records, { data, ...(published !== undefined && { format: published }) });
  return (...inputs: Parameters<typeof take>): string[] =>
    take(...inputs).map(({ sent, verdict }) => (sent === undefined ? String(verdict) : bodyOf(sent)));
}

/** `merge {…}` of a message with operations; any other as it is. A text in it may have any line separator. */
function bodyOf(sent: string): string {
  const [, operation, body] =
    /^\{"header":.*?"operations":\{"data":"(\w+)"\}\},"body":(.*)\}$/s.exec(sent) ?? [];
  return body === undefined ? sent : `${operation} ${body}`;
}
