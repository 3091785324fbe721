// A manifest that says what AEP has, with a list of what it does not say.
import { MAX_MANIFEST_BYTES } from '../bounds.ts';
import { Manifest } from '../manifest.ts';
import { mistakes, wording } from '../mistakes.ts';
import { tagInDescription, withoutTag } from '../provision/resources/ownership-tag.ts';
import { PIPELINE_NAME } from '../shared-rules.ts';
import { drawDataset, MAX_DESCRIPTION, tooLongText } from './draw-dataset.ts';
import { drawMapping } from './draw-mapping.ts';
import { drawSchema } from './draw-schema.ts';
import { drawSource, type ToldSource } from './draw-source.ts';
import { type ImportFinding, kept, prevents, unsaidMembers } from './finding.ts';
import type { WalkedFlow } from './walked.ts';

export interface ImportGiven extends ToldSource {
  readonly sandbox: string;
  /** Of another organization, as manifests name them. */
  readonly credentials?: string | undefined;
  /** The pipeline's name; left out, it is made from the flow's. */
  readonly name?: string | undefined;
}

export interface Drawn {
  /** As it is to be written into a file. What is missing is left out. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** The same, checked; what is missing has a stand-in. Absent if it is no manifest. */
  readonly checked?: Manifest;
  readonly findings: readonly ImportFinding[];
}

export function drawManifest(walked: WalkedFlow, told: ImportGiven): Drawn {
  const source = drawSource(walked, told);
  const schema = drawSchema(walked);
  const dataset = drawDataset(walked);
  const mapping = drawMapping(walked, source.value.data);
  const description = withoutTag(walked.flow.description);
  const names = namesOf(walked);
  const manifest = {
    version: 1,
    name: told.name ?? ownNameOf(walked.flow) ?? pipelineNameOf(walked.flow),
    ...(description !== '' && description.length <= MAX_DESCRIPTION && { description }),
    sandbox: told.sandbox,
    ...(told.credentials !== undefined && { credentials: told.credentials }),
    source: source.value,
    schema: schema.value,
    dataset: dataset.value,
    ...(mapping.value !== undefined && { mapping: mapping.value }),
    names: names.value,
    adopt: true,
  };
  const findings = [source, schema, dataset, mapping, names].flatMap((part) => part.findings);
  const { checked, faults } = checkDrawn(manifest, source.findings);
  return {
    manifest,
    ...(checked !== undefined && { checked }),
    findings: [
      ...findings,
      ...tooLongText('description', description),
      ...unsaid(walked),
      ...faults,
      ...overBound(manifest),
    ],
  };
}

/** Stands for what AEP does not tell, so that all the rest can be checked. It never leaves this file. */
const STAND_IN: Readonly<Record<string, string>> = {
  stream: 'not-told-yet',
  credentials: 'not-told-yet',
  region: 'eu-west-1',
  namespace: 'not-told-yet',
  eventHub: 'not-told-yet',
  project: 'not-told-yet',
  topic: 'not-told-yet',
  subscription: 'not-told-yet',
  data: 'raw',
};

function checkDrawn(
  manifest: Readonly<Record<string, unknown>> & { readonly source: Readonly<Record<string, unknown>> },
  findings: readonly ImportFinding[],
): { checked?: Manifest; faults: ImportFinding[] } {
  const untold = findings
    .flatMap(({ effect, path }) => (effect === 'missing' ? [path.slice('source.'.length)] : []))
    .filter((name) => Object.hasOwn(STAND_IN, name));
  const standing = Object.fromEntries(untold.map((name) => [name, STAND_IN[name]]));
  const value = { ...manifest, source: { ...manifest.source, ...standing } };
  const result = Manifest.safeParse(value, { reportInput: true, error: wording });
  if (result.success) return { checked: result.data, faults: [] };
  const faults = result.error.issues.map((issue) =>
    prevents(issue.path.map(String).join('.'), mistakes([issue], value).join('; ')),
  );
  return { faults };
}

function overBound(manifest: object): ImportFinding[] {
  const bytes = Buffer.byteLength(JSON.stringify(manifest));
  if (bytes <= MAX_MANIFEST_BYTES) return [];
  return [
    prevents(
      '(top level)',
      `the manifest has ${bytes} bytes as JSON; a plan takes at most ${MAX_MANIFEST_BYTES}`,
    ),
  ];
}

/** What Penstock and Adobe's tutorial write into the data lake. */
const TARGET_FORMAT = 'parquet_xdm';

/** A flow that is off, or a draft, is told by itself. */
const TOLD_STATES = ['enabled', 'disabled', 'draft'];

/** A plan does not look at a state that AEP will leave by itself, nor at the state of a connection. */
function passing(key: string, state: string | undefined): ImportFinding[] {
  const isTold = state === undefined || (key === 'flow' ? TOLD_STATES.includes(state) : state === 'enabled');
  return isTold ? [] : [kept(`${key}.state`, `it is ${state}: look at it in AEP before you apply`)];
}

/** What a manifest says once for all, and what it never says. */
function unsaid({ flow, base, source, target }: WalkedFlow): ImportFinding[] {
  const said = withoutTag(flow.description);
  const others = [
    ['base-connection', base],
    ['source-connection', source],
    ['target-connection', target],
  ] as const;
  const scheduled = Object.keys(flow.scheduleParams ?? {});
  const { format = TARGET_FORMAT } = target.data ?? {};
  return [
    ...[['flow', flow] as const, ...others].flatMap(([key, { state }]) => passing(key, state)),
    ...unsaidMembers('target-connection', 'its parameters have', target.params, ['dataSetId']),
    ...(format === TARGET_FORMAT
      ? []
      : [kept('target-connection', `it writes ${format}, not ${TARGET_FORMAT}`)]),
    ...others.flatMap(([key, { description }]) => {
      const own = withoutTag(description);
      if (own === '' || own === said) return [];
      return [kept(`${key}.description`, 'it stays in AEP alone: a manifest has one description for all')];
    }),
    ...(scheduled.length > 0
      ? [
          kept(
            'flow.scheduleParams',
            `${scheduled.join(', ')}: a manifest has no schedule, and a stream needs none`,
          ),
        ]
      : []),
  ];
}

/** A mapping set of Penstock's: the name before its mark. */
const OWN_SET = /^(.+) \[penstock \S+ [0-9a-f]{12}\]$/;

function namesOf({ flow, source, base, target, mappingSet }: WalkedFlow) {
  const entities = [
    ['baseConnection', 'base-connection', base],
    ['sourceConnection', 'source-connection', source],
    ['targetConnection', 'target-connection', target],
    ['flow', 'flow', flow],
  ] as const;
  const mapping = OWN_SET.exec(mappingSet?.name ?? '')?.[1];
  const named = entities.flatMap(([word, , { name }]) => (name === undefined ? [] : [[word, name] as const]));
  const findings = entities.flatMap(([, key, { id, name }]) =>
    name === undefined
      ? [prevents(key, `${id} has no name, by which it would be found: give it one in AEP`)]
      : [],
  );
  return {
    value: { ...Object.fromEntries(named), ...(mapping !== undefined && { mapping }) },
    findings,
  };
}

/** Of a pipeline of Penstock's. Anybody can write a tag: what is no name of a pipeline may lead out of a folder. */
function ownNameOf({ description }: WalkedFlow['flow']): string | undefined {
  const name = tagInDescription(description)?.pipeline;
  return name !== undefined && PIPELINE_NAME.test(name) ? name : undefined;
}

/** Letters, digits, ".", "_" and "-" of the flow's name. */
function pipelineNameOf({ id, name = '' }: WalkedFlow['flow']): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '')
    .slice(0, 64);
  // Nothing is left of it, or it is a word of ours.
  return PIPELINE_NAME.test(plain) ? plain : `flow-${id.slice(0, 8)}`;
}
