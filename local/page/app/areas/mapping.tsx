// Mapping: a record at the left, what the rows of a pipeline's mapping make of it at the right, while one types.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { MappingDetail, MappingLine, PipelineLine, SavedMapping, TriedMapping } from '../../told.ts';
import { act, RefusedError } from '../act.ts';
import { useAsked } from '../asked.ts';
import { useLines } from '../lines.ts';
import type { AreaProps } from '../main.tsx';
import { Bad, Content, Sign, told } from '../parts.tsx';
import { go, pathOf } from '../place.tsx';
import { Save, useSaving } from '../save.tsx';
import './mapping.css';

export function Mapping({ rest: [chosen], onConnection }: AreaProps) {
  const pipelines = useLines<PipelineLine>('pipelines', ({ name }) => name, onConnection);
  const names = (pipelines ?? []).map(({ name }) => name).sort();
  const name = chosen ?? names[0];
  if (pipelines?.length === 0)
    return (
      <div class="empty">
        <p>There is no pipeline yet. Apply a manifest, in another terminal:</p>
        <pre>npx penstock apply --local examples/customer-profiles.json</pre>
        <p>Then its mapping can be tried here.</p>
      </div>
    );
  if (name === undefined) return <div class="empty">Loading …</div>;
  const { run, health } = { ...pipelines?.find((one) => one.name === name) };
  return <MappingOf key={name} name={name} names={names} version={`${run} ${health}`} />;
}

interface MappingProps {
  readonly name: string;
  readonly names: readonly string[];
  /** Another one after each execution: what is in force may be another mapping. */
  readonly version: string;
}

function MappingOf({ name, names, version }: MappingProps) {
  const detail = useAsked<MappingDetail>(`/api/mapping?pipeline=${encodeURIComponent(name)}`, version);
  return (
    <div class="mapping">
      <label class="find narrow">
        <span>Pipeline</span>
        <select value={name} onChange={(event) => go(pathOf('mapping', event.currentTarget.value))}>
          {[...new Set([...names, name])].map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <Body detail={detail} />
    </div>
  );
}

function Body({ detail }: { readonly detail: MappingDetail | 'gone' | undefined }) {
  if (detail === undefined) return <p class="empty">Loading …</p>;
  if (detail === 'gone') return <p class="empty">There is no such pipeline. Choose another.</p>;
  if (!detail.isRaw) return <p class="empty">Its records are XDM already: nothing is mapped.</p>;
  if (!detail.isMade)
    return (
      <p class="empty">
        Its schema is not in AEP, so nothing can be tried. Apply its manifest first, and look again.
      </p>
    );
  return <Trial detail={detail} />;
}

/** After the last key, in ms. */
const PAUSE_MS = 120;

interface Tried {
  readonly found?: TriedMapping;
  readonly refused?: string;
}

/** What the rows make of the record. An answer to what was typed before is dropped. */
function useTried(pipeline: string, record: string, rows: readonly MappingLine[]): Tried {
  const [tried, setTried] = useState<Tried>({});
  const latest = useRef(0);
  useEffect(() => {
    const number = ++latest.current;
    const tell = (one: Tried) => {
      if (number === latest.current) setTried(one);
    };
    const timer = setTimeout(() => {
      act<TriedMapping>('POST', '/api/mapping', { pipeline, record, rows }).then(
        (found) => tell({ found }),
        (error: unknown) => tell({ refused: error instanceof RefusedError ? error.message : String(error) }),
      );
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [pipeline, record, rows]);
  return tried;
}

function Trial({ detail }: { readonly detail: MappingDetail }) {
  const { pipeline, records } = detail;
  const [record, setRecord] = useState(records[0]?.text ?? '{\n  \n}');
  const [saved, setSaved] = useState<SavedMapping>(detail);
  const [rows, setRows] = useState(detail.rows);
  const begin = (one: SavedMapping) => {
    setSaved(one);
    setRows(one.rows);
  };
  const isChanged = rows !== saved.rows;
  // What somebody has typed stays; a file that is another by now is told when it is saved.
  useEffect(() => {
    if (!isChanged) begin(detail);
  }, [detail]);
  const saving = useSaving(pipeline, rows, begin);
  const { found, refused } = useTried(pipeline, record, rows);
  return (
    <>
      <div class="sides-by-side">
        <section aria-label="The record">
          <h2>Record</h2>
          {records.length > 0 && (
            <label class="field">
              <span>Take one</span>
              <select
                onChange={(event) => setRecord(records[Number(event.currentTarget.value)]?.text ?? record)}
              >
                {records.map((one, index) => (
                  <option key={one.name} value={index}>
                    {one.name}
                  </option>
                ))}
              </select>
            </label>
          )}
          <textarea
            aria-label="The record as JSON"
            spellcheck={false}
            value={record}
            onInput={(event) => setRecord(event.currentTarget.value)}
          />
          {found !== undefined && found.unread.length > 0 && (
            <p class="notes">
              No row reads{' '}
              {found.unread.map((path) => (
                <bdi class="path-chip" key={path}>
                  {path}
                </bdi>
              ))}
            </p>
          )}
        </section>
        <section aria-label="The result">
          <h2>XDM</h2>
          <Result found={found} refused={refused} />
        </section>
      </div>
      <Rows
        rows={rows}
        faults={rows.map((_, index) => found?.rows[index] ?? saving.unsaved?.rows[index] ?? null)}
        isHeld={saving.isBusy}
        onRows={setRows}
      />
      <Save saved={saved} isChanged={isChanged} saving={saving}>
        {isChanged && (
          <button type="button" onClick={() => setRows(saved.rows)}>
            Back to the manifest's rows
          </button>
        )}
      </Save>
    </>
  );
}

function Result({
  found,
  refused,
}: {
  readonly found: TriedMapping | undefined;
  readonly refused: string | undefined;
}) {
  if (refused !== undefined) return <Bad text={refused} />;
  if (found === undefined) return <p class="says">Loading …</p>;
  const faults = found.rows.filter((one) => one !== null).length;
  const isRight = faults === 0 && found.lacking.length === 0 && found.violations.length === 0;
  return (
    <>
      <div role="status">
        {found.says !== undefined && <Bad text={found.says} />}
        {faults > 0 && (
          <Bad text={`${told(faults)} ${faults === 1 ? 'row fails' : 'rows fail'}: see below.`} />
        )}
        {found.lacking.map((one) => (
          <Bad key={one} text={one} />
        ))}
        {found.violations.map((one) => (
          <Bad key={one} text={`AEP would refuse it. ${one}`} />
        ))}
        {isRight && found.xdm !== undefined && (
          <p class="says">
            <Sign health="good" /> AEP takes it.
          </p>
        )}
      </div>
      {found.xdm !== undefined && <Content label="The XDM" shown={found.xdm} />}
    </>
  );
}

interface RowsProps {
  readonly rows: readonly MappingLine[];
  readonly faults: readonly (string | null)[];
  /** Whether nothing can be typed just now. */
  readonly isHeld: boolean;
  readonly onRows: (rows: readonly MappingLine[]) => void;
}

function Rows({ rows, faults, isHeld, onRows }: RowsProps) {
  const list = useRef<HTMLOListElement>(null);
  const isAdded = useRef(false);
  useEffect(() => {
    // A row that was added is typed at once.
    if (isAdded.current) list.current?.querySelector<HTMLInputElement>('li:last-child input')?.focus();
    isAdded.current = false;
  }, [rows.length]);
  const add = () => {
    isAdded.current = true;
    onRows([...rows, { kind: 'field', from: '', destination: '' }]);
  };
  const change = (index: number, more: Partial<MappingLine>) =>
    onRows(rows.with(index, { ...(rows[index] as MappingLine), ...more }));
  return (
    <section aria-label="The rows of the mapping">
      <h2>Rows</h2>
      <ol class="rows" ref={list} inert={isHeld}>
        {rows.map((row, index) => {
          const fault = faults[index] ?? undefined;
          const place = `of row ${index + 1}`;
          return (
            <li key={index} class={fault === undefined ? '' : 'faulty'}>
              <select
                aria-label={`Kind ${place}`}
                value={row.kind}
                onChange={(event) =>
                  change(index, { kind: event.currentTarget.value as MappingLine['kind'] })
                }
              >
                <option value="field">field</option>
                <option value="expression">expression</option>
              </select>
              <input
                aria-label={`Source ${place}`}
                aria-invalid={fault !== undefined}
                spellcheck={false}
                value={row.from}
                onInput={(event) => change(index, { from: event.currentTarget.value })}
              />
              <span aria-hidden="true">→</span>
              <input
                aria-label={`Destination ${place}`}
                aria-invalid={fault !== undefined}
                spellcheck={false}
                value={row.destination}
                onInput={(event) => change(index, { destination: event.currentTarget.value })}
              />
              <button
                type="button"
                aria-label={`Remove row ${index + 1}`}
                onClick={() => onRows(rows.toSpliced(index, 1))}
              >
                ×
              </button>
              {fault !== undefined && <Bad text={fault} />}
            </li>
          );
        })}
      </ol>
      <div class="buttons">
        <button type="button" onClick={add}>
          Add a row
        </button>
      </div>
    </section>
  );
}
