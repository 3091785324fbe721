// Reads single parts of a manifest that the ledger keeps. Another release may have written it, so its rules do not apply here.
// The parts have the types of lib/manifest.ts: this file does not compile if they differ. The manifest's schema is not loaded here, because
// that takes about 20 ms of a cold start.
import type { InletSource, Manifest, MappingRow, Source } from './manifest.ts';
import * as z from './zod.ts';

/** `undefined` if there is no manifest, or if it does not have this part. */
function partIn<T>(manifest: unknown, read: z.ZodMiniType<T>): T | undefined {
  return read.safeParse(manifest).data;
}

export interface KeptMappingRow extends Pick<MappingRow, 'destination'> {
  /** Absent if the row has an expression. */
  readonly source?: Extract<MappingRow, { source: string }>['source'] | undefined;
}

const INLET: InletSource['kind'] = 'inlet';

const InletPart: z.ZodMiniType<{ source: Pick<InletSource, 'kind' | 'stream'> }> = z.object({
  source: z.object({ kind: z.literal(INLET), stream: z.string() }),
});
const StreamPart: z.ZodMiniType<{ source: Pick<Extract<Source, { stream: string }>, 'stream'> }> = z.object({
  source: z.object({ stream: z.string() }),
});
/** Also of a kind that this release does not know. */
const KindPart = z.object({ source: z.object({ kind: z.string() }) });
const SandboxPart: z.ZodMiniType<Pick<Manifest, 'sandbox'>> = z.object({ sandbox: z.string() });
const CredentialsPart: z.ZodMiniType<Pick<Manifest, 'credentials'>> = z.object({
  credentials: z.optional(z.string()),
});
const MappingPart: z.ZodMiniType<{ mapping: KeptMappingRow[] }> = z.object({
  mapping: z.array(z.object({ source: z.optional(z.string()), destination: z.string() })),
});

/** Name or ARN of the stream that feeds an inlet. A source that AEP reads by itself has none. */
export function inletStreamIn(manifest: unknown): string | undefined {
  return partIn(manifest, InletPart)?.source.stream;
}

/** Name or ARN of the Kinesis stream, whether Penstock or AEP reads it. */
export function streamIn(manifest: unknown): string | undefined {
  return partIn(manifest, StreamPart)?.source.stream;
}

/** Whether AEP reads the source by itself. */
export function isPulledIn(manifest: unknown): boolean {
  const kind = partIn(manifest, KindPart)?.source.kind;
  return kind !== undefined && kind !== INLET;
}

export function sandboxIn(manifest: unknown): string | undefined {
  return partIn(manifest, SandboxPart)?.sandbox;
}

/** Which of the stage's credentials; `undefined` for the stage's own. */
export function credentialsIn(manifest: unknown): string | undefined {
  return partIn(manifest, CredentialsPart)?.credentials;
}

/** Empty if there is no mapping, or if a row of it is damaged. */
export function mappingRowsIn(manifest: unknown): readonly KeptMappingRow[] {
  return partIn(manifest, MappingPart)?.mapping ?? [];
}
