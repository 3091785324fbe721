// One manifest tried out offline: its schema made on a simulated platform, its mapping and samples sent through Data Prep there.
import * as z from 'zod';
import { type Aep, createAep } from '../../lib/aep/client.ts';
import type { NewMappingSet } from '../../lib/aep/data-prep.ts';
import { isFailure } from '../../lib/failure.ts';
import type { Manifest } from '../../lib/manifest.ts';
import { didYouMean } from '../../lib/nearest.ts';
import { DOCUMENT_VERSION, Pipeline } from '../../lib/pipeline.ts';
import { arrayWarnings } from '../../lib/provision/plan/array-warnings.ts';
import { foreseenOf, unmappedWithin } from '../../lib/provision/plan/foreseen.ts';
import { ensure } from '../../lib/provision/resources/ensure.ts';
import { mappingsOf } from '../../lib/provision/resources/mapping.ts';
import type { Context } from '../../lib/provision/resources/resource.ts';
import { resourcesOf, STEPS } from '../../lib/provision/resources/resources.ts';
import { tryMapping, trySamples } from '../../lib/provision/resources/trial.ts';
import type { Runtime } from '../../lib/runtime.ts';
import { inOwnNamespace, mismatches, type Sample, type Samples, sampleRecord } from '../../lib/samples.ts';
import { settingsFrom } from '../../lib/settings.ts';
import { virtualClock } from '../aep/clock.ts';
import { pathSteps } from '../aep/el/paths.ts';
import { type JsonObject, objectAt, parseExactly } from '../aep/json.ts';
import { FAKE_CREDENTIAL } from '../aep/options.ts';
import { createPlatform } from '../aep/platform.ts';
import { resolved, resolvedForData } from '../aep/registry/resolve.ts';
import { lookUp } from '../aep/registry/resources.ts';
import type { Sandbox } from '../aep/state.ts';
import type { Fields } from '../aep/xdm/field.ts';
import { builtIn, type Standard } from '../aep/xdm/standard.ts';
import { compileValidatorFor } from '../aep/xdm/validator.ts';
import { type PartsSaid, saidOfParts } from './schema-parts.ts';

export interface Checked {
  /** What is wrong, line by line; empty where nothing is. */
  readonly mistakes: readonly string[];
  /** What could not be looked at from here, or is worth knowing. */
  readonly warnings: readonly string[];
}

/** The simulated organization's id: nothing that a manifest would hold by chance, so that messages can say `{tenant}`. */
const TENANT = 'penstockoffline';
const ORIGIN = 'http://127.0.0.1';

/** Where the manifest is tried out: a platform of its own, so that no manifest sees what another one made. */
interface Bench {
  readonly manifest: Manifest;
  readonly aep: Aep;
  readonly sandbox: Sandbox;
  readonly context: Context;
}

/** Makes the schema as provisioning would, then tries the mapping and the samples. No network, and no time passes. */
export async function checkPipeline(
  manifest: Manifest,
  samples: Samples | undefined,
  xdm: Standard = builtIn,
): Promise<Checked> {
  const bench = benchFor(manifest, xdm);
  const parts = partsSaid(manifest, xdm);
  const { refused, doubtful } = foreseenOf(manifest);
  const warnings = [
    ...doubtful,
    ...parts.warnings,
    ...irreversibleOf(manifest),
    ...(await namespacesOf(bench)),
    ...without(manifest, samples),
  ];
  const unlooked = [...parts.elsewhere, ...parts.inAep];
  if (parts.mistakes.length + unlooked.length > 0) {
    warnings.push(...arrayWarnings(manifest, samples));
    const alone = 'only the expressions were checked, not fields and samples';
    warnings.push(...unlooked.map((line) => `${line}; ${alone}`));
    const mistakes = await mistakesIn(() => tryMapping(bench.aep, standIn(bench)));
    return { mistakes: [...parts.mistakes, ...refused, ...mistakes], warnings };
  }
  let schemaId = '';
  const unmade = await mistakesIn(async () => {
    schemaId = await makeSchema(bench);
  });
  if (unmade.length > 0) return { mistakes: [...refused, ...unmade], warnings };
  const fields = await bench.aep.schemaRegistry.getFields(schemaId);
  const arrays = arrayWarnings(manifest, samples, fields, TENANT).map(neutral);
  const lacking = unmappedWithin(fieldsOf(bench, schemaId), manifest);
  const mistakes = await tryOut(bench, schemaId, samples ?? []);
  return { mistakes: [...refused, ...mistakes], warnings: [...warnings, ...lacking, ...arrays] };
}

/** With what they require, which the registry tells a client nothing of that it asks for. */
function fieldsOf({ sandbox }: Bench, schemaId: string): Fields {
  const schema = lookUp(sandbox, 'schemas', schemaId);
  return (schema && resolved(sandbox, schema).properties) ?? {};
}

function benchFor(manifest: Manifest, xdm: Standard): Bench {
  // What waits goes on at once: time jumps to where it wants to be.
  const clock = virtualClock();
  const jumping = { ...clock, sleep: async (ms: number) => clock.advance(ms) };
  const platform = createPlatform({
    origin: ORIGIN,
    tenant: TENANT,
    sandboxes: [{ name: manifest.sandbox, isDefault: true }],
    clock: jumping,
    xdm,
  });
  const transport: Runtime = {
    ...pretended(),
    clock: jumping,
    fetch: (url, init) => platform.fetch(new Request(url, init as RequestInit)),
  };
  const { clientId, clientSecrets } = FAKE_CREDENTIAL;
  const aep = createAep({
    sandbox: manifest.sandbox,
    platformUrl: ORIGIN,
    imsUrl: ORIGIN,
    credentials: {
      clientId,
      clientSecret: clientSecrets[0] ?? '',
      organizationId: platform.settings.organization,
      scopes: 'openid',
    },
    transport,
  });
  const sandbox = platform.state.sandboxes.get(manifest.sandbox) as Sandbox;
  return { manifest, aep, sandbox, context: { aep, runtime: transport, first: false } };
}

/** What making a schema never asks for. */
function pretended(): Omit<Runtime, 'fetch' | 'clock'> {
  const quiet = () => undefined;
  const nothing = async () => undefined;
  return {
    random: () => 0.5,
    settings: settingsFrom({}),
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    secrets: { get: nothing, create: async () => true, put: nothing, remove: nothing },
  };
}

/** The parts of the schema that is to be made. What is in an existing one is known in AEP only. */
function partsSaid({ schema }: Manifest, xdm: Standard): PartsSaid {
  if (!('id' in schema)) return saidOfParts(schema, xdm);
  return { mistakes: [], warnings: [], elsewhere: [], inAep: [`schema.id: ${schema.id}: known in AEP only`] };
}

/** The mapping set on a schema that has whatever fields are written to: what is left to be wrong is the expressions. */
function standIn({ manifest, sandbox }: Bench): NewMappingSet {
  const schemaId = `https://ns.adobe.com/${TENANT}/schemas/standin`;
  const mappings = mappingsOf({ manifest, tenant: TENANT });
  const properties: JsonObject = {};
  for (const { destination } of mappings) addField(properties, destination);
  sandbox.registry.schemas.put(schemaId, { $id: schemaId, title: 'stand-in', type: 'object', properties });
  return { name: manifest.name, schemaId, mappings };
}

function addField(properties: JsonObject, destination: string): void {
  let here = properties;
  for (const step of stepsOf(destination)) {
    const field = objectAt(here, step) ?? { properties: {} };
    here[step] = field;
    here = objectAt(field, 'properties') ?? {};
  }
}

/** One that cannot be read is left to Data Prep, which says why. */
function stepsOf(destination: string): string[] {
  try {
    return pathSteps(destination).filter((step) => step !== '__proto__');
  } catch {
    return [];
  }
}

/** The schema with all that belongs to it, made by the resources that make it in AEP. */
async function makeSchema({ manifest, aep, context }: Bench): Promise<string> {
  let pipeline = Pipeline.parse({
    version: DOCUMENT_VERSION,
    mode: 'apply',
    manifest,
    tenant: await aep.schemaRegistry.tenantId(),
    execution: { id: 'offline', name: 'offline', startedAt: new Date(0).toISOString() },
    warmUpSeconds: 0,
    drainSeconds: 0,
    plan: [],
    resources: {},
  });
  for (const resource of resourcesOf(pipeline)) {
    if (STEPS.schema(resource.key) || STEPS.identity(resource.key))
      pipeline = await ensure(resource, pipeline, context);
  }
  return pipeline.resources.schema?.id ?? '';
}

async function tryOut(bench: Bench, schemaId: string, samples: Samples): Promise<string[]> {
  const { manifest, aep } = bench;
  const set = { name: manifest.name, schemaId, mappings: mappingsOf({ manifest, tenant: TENANT }) };
  const compiled = await mistakesIn(async () => {
    if (manifest.mapping !== undefined) await tryMapping(aep, set);
  });
  const become = await mistakesIn(async () => {
    // What does not compile makes nothing of any sample.
    if (manifest.mapping !== undefined && compiled.length === 0 && samples.length > 0)
      await trySamples(aep, set, samples, TENANT);
  });
  const unlike = manifest.mapping === undefined ? samples.flatMap(asItIs) : [];
  return [...compiled, ...become, ...unlike, ...invalidOf(bench, schemaId, samples)];
}

/** Where nothing is mapped, a record is what it must become. */
function asItIs(sample: Sample, index: number): string[] {
  const differences = mismatches(inOwnNamespace(sample.xdm, undefined), sampleRecord(sample));
  return differences.map(({ text }) => `${called(sample, index)}: record and xdm differ: ${text}`);
}

/** What the validator behind an inlet would refuse of the XDM that must come out. */
function invalidOf({ sandbox }: Bench, schemaId: string, samples: Samples): string[] {
  const schema = lookUp(sandbox, 'schemas', schemaId);
  if (schema === undefined) return [];
  const entities = samples.map(
    ({ xdm }) => parseExactly(JSON.stringify(inOwnNamespace(xdm, TENANT))) as JsonObject,
  );
  const validate = compileValidatorFor(resolvedForData(sandbox, schema), entities);
  return samples.flatMap((sample, index) =>
    validate(entities[index] ?? {}).map(({ pointerToViolation, message }) => {
      const path = pointerToViolation.replace(/^#\/?/, '').replaceAll('/', '.');
      return neutral(`${called(sample, index)}: xdm ${path || '(all of it)'}: ${message}`);
    }),
  );
}

function called({ name }: Sample, index: number): string {
  return name ?? `sample ${index + 1}`;
}

/** What provisioning asks the user's leave for, where there is none yet. */
function irreversibleOf(manifest: Manifest): string[] {
  if (manifest.allowIrreversible) return [];
  return resourcesOf({ manifest, hints: {}, mode: 'apply' }).flatMap((resource) => {
    const what = resource.kind === 'switch' && resource.needed(manifest) ? resource.irreversible : undefined;
    return what === undefined
      ? []
      : [`allowIrreversible: found false; expected true, because of ${resource.key}: ${what}`];
  });
}

/** Identity namespaces of the user's own: made here, so that the rest can be tried out. */
async function namespacesOf({ manifest: { schema }, aep }: Bench): Promise<string[]> {
  if ('id' in schema) return [];
  const known = new Set(await aep.identity.namespaceCodes());
  const own = schema.identities.map(({ namespace }) => namespace);
  for (const code of new Set(own.filter((one) => !known.has(one)))) {
    await aep.request({
      method: 'POST',
      path: '/data/core/idnamespace/identities',
      body: { code, name: code, idType: 'CROSS_DEVICE' },
      answer: z.unknown(),
    });
  }
  return own.flatMap((code, index) => {
    if (known.has(code)) return [];
    const there = [...known].toSorted();
    return [
      `schema.identities.${index}.namespace: found "${code}", which must exist in AEP; always there: ${there.join(', ')}${didYouMean([code], there)}`,
    ];
  });
}

function without({ source, mapping }: Manifest, samples: Samples | undefined): string[] {
  if (source.data !== 'raw' || mapping === undefined || samples !== undefined) return [];
  return ['there are no samples: nothing checks what the mapping makes of a record'];
}

/** What a failure says, line by line. @throws what is no failure */
async function mistakesIn(work: () => Promise<unknown>): Promise<string[]> {
  try {
    await work();
    return [];
  } catch (error) {
    if (!isFailure(error)) throw error;
    return error.what.trimEnd().split('\n').map(neutral);
  }
}

function neutral(text: string): string {
  return text.replaceAll(`_${TENANT}`, '{tenant}');
}
