// Saves the rows of a mapping into the manifest's file: what became of it, and what to do next.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { MappingDetail, MappingLine, SavedMapping, UnsavedMapping } from '../told.ts';
import { act, RefusedError } from './act.ts';
import { ask } from './follow.ts';
import { Bad, Code, Sign } from './parts.tsx';

export interface MappingSaving {
  readonly isBusy: boolean;
  readonly isDone: boolean;
  readonly unsaved: UnsavedMapping | undefined;
  readonly save: (version: string) => void;
  /** What was typed is dropped. */
  readonly readAnew: () => void;
}

/** @param onSaved gets what the file has now */
export function useSaving(
  pipeline: string,
  rows: readonly MappingLine[],
  onSaved: (saved: SavedMapping) => void,
): MappingSaving {
  const [isBusy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<UnsavedMapping | 'done' | undefined>();
  // What was said of other rows does not hold of these.
  useEffect(() => setOutcome((now) => (now === 'done' || now?.hasChanged ? now : undefined)), [rows]);
  const during = async (work: () => Promise<UnsavedMapping | 'done' | undefined>) => {
    if (isBusy) return;
    setBusy(true);
    setOutcome(await work());
    setBusy(false);
  };
  const save = async (version: string) => {
    try {
      onSaved(await act<SavedMapping>('POST', '/api/save', { pipeline, version, rows }));
      return 'done';
    } catch (error) {
      return unsavedBy(error);
    }
  };
  const read = async () => {
    const found = await ask<MappingDetail>(`/api/mapping?pipeline=${encodeURIComponent(pipeline)}`);
    if (found === undefined)
      return { ...NOTHING_TOLD, why: 'The server cannot be reached.', hasChanged: true };
    onSaved(found);
    return undefined;
  };
  return {
    isBusy,
    isDone: outcome === 'done',
    unsaved: outcome === 'done' ? undefined : outcome,
    save: (version) => void during(() => save(version)),
    readAnew: () => void during(read),
  };
}

const NOTHING_TOLD: UnsavedMapping = { why: '', hasChanged: false, rows: [], mistakes: [] };

function unsavedBy(error: unknown): UnsavedMapping {
  const told =
    error instanceof RefusedError ? (error.told as Partial<UnsavedMapping> | undefined) : undefined;
  return { ...NOTHING_TOLD, why: error instanceof Error ? error.message : String(error), ...told };
}

interface SaveProps {
  readonly saved: SavedMapping;
  readonly isChanged: boolean;
  readonly saving: MappingSaving;
  /** More that can be done with the rows. */
  readonly children: ComponentChildren;
}

export function Save({ saved: { saving: place }, isChanged, saving, children }: SaveProps) {
  const isOn = place.state === 'on';
  return (
    <section class="save" aria-label="Save the mapping">
      <div class="buttons">
        {isOn && (
          <button
            type="button"
            class="primary"
            aria-disabled={!isChanged || saving.isBusy}
            onClick={() => isChanged && saving.save(place.version)}
          >
            Save into the manifest
          </button>
        )}
        {children}
      </div>
      {isOn && (
        <p class="says">
          The file is <bdi>{place.file}</bdi>.
        </p>
      )}
      {place.state === 'unreadable' && <Bad text={`The file cannot be saved. ${place.why}`} />}
      {place.state === 'off' && (
        <p class="says">
          Nothing is saved here. To save rows into the manifest, start with <code>--edit</code>:{' '}
          <code>npm start -- --keep --edit</code>, or <code>penstock dev --edit</code>.
        </p>
      )}
      {place.state === 'elsewhere' && (
        <p class="says">
          Nothing is saved here: this manifest was applied from elsewhere. To save its rows, name its file at
          the start: <code>--edit --manifest FILE</code>.
        </p>
      )}
      <div role="status">
        {saving.isBusy && 'Saving …'}
        {saving.isDone && !isChanged && isOn && (
          <p class="says">
            <Sign health="good" /> It is saved.
          </p>
        )}
        {saving.unsaved !== undefined && <Unsaved unsaved={saving.unsaved} readAnew={saving.readAnew} />}
      </div>
      {isOn && !place.isInForce && !isChanged && (
        <>
          <p class="says">The rows of the file are not in force yet. Apply them, in another terminal:</p>
          <Code label="How to apply it" text={`npx penstock apply --local ${quoted(place.file)}`} copy />
        </>
      )}
    </section>
  );
}

function Unsaved({ unsaved, readAnew }: { readonly unsaved: UnsavedMapping; readonly readAnew: () => void }) {
  return (
    <>
      <Bad text={unsaved.why} />
      {unsaved.mistakes.length > 0 && (
        <p class="mistakes">
          <bdi>{unsaved.mistakes.join('\n')}</bdi>
        </p>
      )}
      {unsaved.hasChanged && (
        <p class="says">
          Nothing is saved, and what you typed is still here.{' '}
          <button type="button" onClick={readAnew}>
            Read it anew, and drop what I typed
          </button>
        </p>
      )}
    </>
  );
}

/** A word of a shell. */
const quoted = (word: string) =>
  /^[\w./@%+=:,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
