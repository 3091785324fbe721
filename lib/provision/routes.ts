// Changes the list of a stream's routes: a pipeline joins it, publishes anew, leaves it. Others may do so at once.
import { isDeepStrictEqual } from 'node:util';
import { MAX_ROUTES } from '../bounds.ts';
import { Failure } from '../failure.ts';
import {
  type PublishedPipeline,
  publishedSecret,
  readDocument,
  streamNameOf,
  streamSettingsOf,
} from '../published.ts';
import { parseRouteList, type RouteList, type StreamSettings } from '../route-list.ts';
import type { LedgerRuntime } from '../runtime.ts';

/** After this time every container of the forwarder knows a new route: the longest age of its copy, and a margin. */
const KNOWN_MARGIN_MS = 5_000;

/**
 * An execution runs for two hours at most (`states.asl.json`). What it left half closed after that is nobody's any
 * more.
 */
export const MAX_CLOSING_MS = 7_300_000;

/** Another writer was first: each time one of them has made progress, so only a storm of them uses all tries. */
const CHANGE_TRIES = 50;
const CHANGE_MS = 200;

/** The list, or what it would be of a stream that 0.1.0 published. Its version is for `Routes.write`. */
async function currentList(
  runtime: LedgerRuntime,
  stream: string,
): Promise<{ readonly list: RouteList | undefined; readonly version: string | undefined }> {
  const { value, version } = await runtime.routes.read(streamNameOf(stream));
  const list = parseRouteList(value, stream);
  if (list !== undefined) return { list, version };
  const only = (await readDocument(runtime, stream, {}, undefined))?.pipeline;
  if (only === undefined) return { list: undefined, version };
  const { streamArn, pipeline } = only;
  return {
    list: { version: 1, streamArn, settings: streamSettingsOf(only), routes: { [pipeline]: {} } },
    version,
  };
}

/**
 * The list of a stream's routes; `undefined` if it has none.
 * @param stream its ARN or its name
 */
export async function readRouteList(runtime: LedgerRuntime, stream: string): Promise<RouteList | undefined> {
  return (await currentList(runtime, stream)).list;
}

/** The pipelines of a list, without this one. */
export function othersIn(list: RouteList | undefined, pipeline: string): string[] {
  return Object.keys(list?.routes ?? {})
    .filter((name) => name !== pipeline)
    .sort();
}

/** What keeps a pipeline with these stream settings from the list; `undefined` if nothing does. */
export function conflictWith(
  list: RouteList | undefined,
  pipeline: string,
  settings: StreamSettings,
): string | undefined {
  const others = othersIn(list, pipeline);
  if (list === undefined || others.length === 0) return undefined;
  const names = others.join(', ');
  const differing = differencesOf(settings, list.settings).map(
    ([name, own, theirs]) =>
      `source.${name} is ${own} in the manifest of ${pipeline}, and ${theirs} in that of ${names}`,
  );
  if (differing.length > 0)
    return `${differing.join('; ')}. All pipelines of a stream must say the same: correct one manifest, or give this one another stream`;
  if (list.routes[pipeline] === undefined && others.length >= MAX_ROUTES)
    return `the stream carries ${others.length} pipelines already, and no more are allowed: ${names}`;
  return undefined;
}

function differencesOf(own: StreamSettings, theirs: StreamSettings): [string, string, string][] {
  const names = [...new Set([...Object.keys(own), ...Object.keys(theirs)])] as (keyof StreamSettings)[];
  const said = (value: unknown) => JSON.stringify(value) ?? 'not there';
  return names
    .filter((name) => !isDeepStrictEqual(own[name], theirs[name]))
    .map((name) => [name, said(own[name]), said(theirs[name])]);
}

/**
 * Lists the pipeline with this revision of its document, and returns from when it takes records: `undefined` is from
 * where the trigger starts.
 * @throws Failure `CONFLICT`; `NOT_READY` while the last other pipeline of the stream is being retired
 */
export async function listRoute(
  document: PublishedPipeline,
  revision: string,
  runtime: LedgerRuntime,
): Promise<number | undefined> {
  const list = await changeList(runtime, document.streamArn, (before) =>
    withRoute(before, document, revision, runtime),
  );
  return list?.routes[document.pipeline]?.from;
}

/** While the last route leaves: by which execution, since when, and until when it may keep others out. */
interface Closing {
  readonly execution: string;
  readonly since: string;
  readonly until: string;
}

/** `undefined` if the list is open, or what closed it is nobody's any more. */
export function closingIn(list: RouteList | undefined, now: number): Closing | undefined {
  if (list?.closing === undefined || now - list.closing.at >= MAX_CLOSING_MS) return undefined;
  const { execution, at } = list.closing;
  const [since, until] = [at, at + MAX_CLOSING_MS].map((ms) => new Date(ms).toISOString()) as [
    string,
    string,
  ];
  return { execution: execution.split(':').at(-1) ?? execution, since, until };
}

/** The execution may be at work, or have been stopped before it was done. */
function leavingNow(pipeline: string, { execution, since, until }: Closing): Failure {
  return new Failure(
    'NOT_READY',
    `the pipeline ${pipeline} is leaving the stream, as its last one: the execution ${execution} has closed it at ${since}. None can join until that is done, or until ${until}`,
    {
      next: `Wait until ${pipeline} is retired, then start again: the pipeline is then the first of the stream. If that execution was stopped, retire ${pipeline} again, or apply it again if it is to stay.`,
    },
  );
}

/** The list with this route in it. Fails as `listRoute` does. */
export function withRoute(
  before: RouteList | undefined,
  document: PublishedPipeline,
  revision: string,
  { clock, settings: { publishedSeconds } }: Pick<LedgerRuntime, 'clock' | 'settings'>,
): RouteList {
  const { pipeline, streamArn } = document;
  const settings = streamSettingsOf(document);
  if (before === undefined) return { version: 1, streamArn, settings, routes: { [pipeline]: { revision } } };
  const others = othersIn(before, pipeline);
  const { closing: _, ...open } = before;
  const closing = others.length > 0 ? closingIn(before, clock.now()) : undefined;
  if (closing !== undefined) throw leavingNow(others.join(', '), closing);
  const conflict =
    others.length > 0 && before.streamArn !== streamArn
      ? `the pipelines ${others.join(', ')} have ${before.streamArn}, another stream of that name`
      : conflictWith(before, pipeline, settings);
  if (conflict !== undefined)
    throw new Failure('CONFLICT', conflict, { next: 'Correct the manifest as described, then start again.' });
  const joins = others.length > 0 && before.routes[pipeline] === undefined;
  const from = joins
    ? clock.now() + publishedSeconds * 1_000 + KNOWN_MARGIN_MS
    : before.routes[pipeline]?.from;
  const route = { revision, ...(from !== undefined && { from }) };
  return { ...open, streamArn, settings, routes: { ...before.routes, [pipeline]: route } };
}

/**
 * The first half of leaving: where others stay, the pipeline is taken off the list. The last one stays on it, and no
 * other may join any more: the trigger can be removed.
 * @returns whether it is the last one
 */
export async function beginToLeave(
  { pipeline, streamArn, execution }: { pipeline: string; streamArn: string; execution: string },
  runtime: LedgerRuntime,
): Promise<boolean> {
  const after = await changeList(runtime, streamArn, (before) => {
    if (othersIn(before, pipeline).length > 0) return before && withoutRoute(before, pipeline);
    if (before?.closing?.execution === execution) return before;
    // A stream that has no list may have a trigger still.
    const empty: RouteList = {
      version: 1,
      streamArn,
      settings: { compression: 'none', unrouted: 'count' },
      routes: {},
    };
    return { ...(before ?? empty), closing: { execution, at: runtime.clock.now() } };
  });
  return othersIn(after, pipeline).length === 0;
}

/** The second half, once the trigger of a last pipeline is gone: nothing of the pipeline is published any more. */
export async function finishLeaving(
  pipeline: string,
  streamArn: string,
  runtime: LedgerRuntime,
): Promise<boolean> {
  await forgetFirstForm(pipeline, streamArn, runtime);
  await changeList(runtime, streamArn, (before) => {
    if (before === undefined || othersIn(before, pipeline).length === 0) return undefined;
    return withoutRoute(before, pipeline);
  });
  const secret = publishedSecret(runtime.settings, streamArn, pipeline);
  if ((await runtime.secrets.get(secret)) === undefined) return false;
  await runtime.secrets.remove(secret);
  return true;
}

/** Removes what 0.1.0 published of this pipeline, once the list names another document or none. */
export async function forgetFirstForm(
  pipeline: string,
  streamArn: string,
  runtime: LedgerRuntime,
): Promise<void> {
  const old = await readDocument(runtime, streamArn, {}, undefined);
  if (old?.pipeline.pipeline === pipeline)
    await runtime.secrets.remove(publishedSecret(runtime.settings, streamArn));
}

function withoutRoute(list: RouteList, pipeline: string): RouteList {
  if (list.routes[pipeline] === undefined) return list;
  const { [pipeline]: _, ...routes } = list.routes;
  return { ...list, routes };
}

/**
 * Changes the list, and again if another writer was first: then with what that one wrote.
 * @param change returns what it was given where nothing is to be changed
 */
async function changeList(
  runtime: LedgerRuntime,
  stream: string,
  change: (before: RouteList | undefined) => RouteList | undefined,
): Promise<RouteList | undefined> {
  for (let tried = 1; ; tried++) {
    const { list, version } = await currentList(runtime, stream);
    const after = change(list);
    if (isDeepStrictEqual(after, list)) return list;
    const name = streamNameOf(stream);
    const done =
      after === undefined
        ? await runtime.routes.remove(name, version)
        : await runtime.routes.write(name, after, version);
    if (done) return after;
    if (tried === CHANGE_TRIES)
      throw new Failure('NOT_READY', `others keep changing the routes of the stream ${name}`);
    await runtime.clock.sleep(runtime.random() * CHANGE_MS);
  }
}
