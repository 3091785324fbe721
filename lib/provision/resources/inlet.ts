// The inlet behind a base connection: what AEP tells of it, and a mark by which it is known again.
import type { Connection } from '../../aep/flow-service.ts';
import type { Manifest } from '../../manifest.ts';
import type { PublishedPipeline } from '../../published.ts';
import { fingerprintOf } from './fingerprint.ts';

export interface Inlet {
  readonly inletUrl: string;
  readonly sourceId: string;
  readonly authenticationRequired: boolean;
}

/** What a connection tells of its inlet; `undefined` while it has none. What AEP does not tell is as the manifest asks. */
export function connectionInlet(connection: Connection, { source, name }: Manifest): Inlet | undefined {
  const { inletUrl, sourceId, authenticationRequired } = connection.auth?.params ?? {};
  if (inletUrl === undefined) return undefined;
  return {
    inletUrl,
    sourceId: sourceId ?? connection.name ?? name,
    authenticationRequired:
      authenticationRequired ?? (source.kind === 'inlet' ? source.authenticationRequired : true),
  };
}

/** The inlet that the forwarder sends to. */
export function inletIn({ inletUrl, sourceName, authenticationRequired }: PublishedPipeline): Inlet {
  return { inletUrl, sourceId: sourceName, authenticationRequired };
}

/** The mark of the inlet that a connection tells in full: a list may tell less than the connection itself. */
export function toldInletMark({ auth }: Connection): string | undefined {
  const { inletUrl, sourceId, authenticationRequired } = auth?.params ?? {};
  if (inletUrl === undefined || sourceId === undefined || typeof authenticationRequired !== 'boolean')
    return undefined;
  return inletMark({ inletUrl, sourceId, authenticationRequired });
}

/** Tells inlets apart without the URL, which may be a secret. It is long and random: a part of a hash reveals nothing. */
export function inletMark({ inletUrl, sourceId, authenticationRequired }: Inlet): string {
  return fingerprintOf([inletUrl, sourceId, authenticationRequired]);
}
