// The lines of lists that a running stack and a deployed stage have alike.
import type { ComponentChildren } from 'preact';
import type { DeadLetterLine, Health, RunLine } from '../told.ts';
import { Sign } from './parts.tsx';
import { lasted, momentOf } from './stage.tsx';

interface PipelineRowProps {
  readonly line: { readonly name: string; readonly health: Health };
  /** What else stands in its line. */
  readonly children: ComponentChildren;
}

export function PipelineRow({ line: { name, health }, children }: PipelineRowProps) {
  return (
    <>
      <span class="row-title">
        <Sign health={health} />
        <bdi>{name}</bdi>
      </span>
      <span class="row-more">{children}</span>
    </>
  );
}

interface RunRowProps {
  readonly line: RunLine;
  /** In the place of the pipeline, where that is not known. */
  readonly name: string;
}

export function RunRow({ line, name }: RunRowProps) {
  const { health, mode, pipeline, startedAt, endedAt, says } = line;
  return (
    <>
      <span class="row-title">
        <Sign health={health} />
        {mode} <bdi>{pipeline || name}</bdi>
      </span>
      <span class="row-more">
        {momentOf(startedAt)}
        {endedAt !== undefined && ` · ${lasted(endedAt - startedAt)}`} · <bdi>{says}</bdi>
      </span>
    </>
  );
}

interface MessageRowProps {
  readonly line: DeadLetterLine;
  /** Where messages of several pipelines stand together. */
  readonly hasPipeline?: boolean;
}

export function MessageRow({ line, hasPipeline = false }: MessageRowProps) {
  const { reason, message, pipeline, partitionKey, place } = line;
  return (
    <>
      <span class="row-title">
        <span class="reason">{reason}</span> <bdi>{message}</bdi>
      </span>
      <span class="row-more">
        {hasPipeline && (
          <>
            <bdi>{pipeline}</bdi> ·{' '}
          </>
        )}
        key <bdi>{partitionKey || '–'}</bdi> · <bdi>{place}</bdi>
      </span>
    </>
  );
}
