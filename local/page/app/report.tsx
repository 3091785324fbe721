// What a plan or a run comes to: why it failed, what it changes as a coloured difference, and what has to be known.
import type { RunResource, ToldReport } from '../told.ts';
import { Code } from './parts.tsx';
import { Trouble } from './stage.tsx';
import './run.css';

/** How it ended, and what is next. */
export function Ending({ report: { failure, summary, next } }: { readonly report: ToldReport }) {
  return (
    <>
      {failure !== undefined && <Trouble obstacle={failure} state={failure.state} />}
      {summary !== undefined && (
        <p class="summary">
          <bdi>{summary}</bdi>
        </p>
      )}
      {next.map((one) => (
        <p class="summary" key={one}>
          <strong>Next:</strong> <bdi>{one}</bdi>
        </p>
      ))}
    </>
  );
}

interface ChangesProps {
  readonly report: ToldReport;
  /** What it says where it names no resource. */
  readonly empty: string;
}

/** Each resource with what becomes of it. */
export function Changes({ report: { resources, old, warnings, verified, token }, empty }: ChangesProps) {
  return (
    <>
      {resources.length === 0 && <p class="says">{empty}</p>}
      <ul class="changes">
        {resources.map((one) => (
          <Change key={one.resource} change={one} />
        ))}
        {old.map((one) => (
          <li key={one} class="change remove">
            <Deed planned="remove" plan="removed at the end" /> <bdi>{one}</bdi>
          </li>
        ))}
      </ul>
      {warnings.length > 0 && <h3>Warnings</h3>}
      {warnings.map((one) => (
        <p class="warning" key={one}>
          <span aria-hidden="true">⚠</span> <bdi>{one}</bdi>
        </p>
      ))}
      {verified.length > 0 && <p class="says">Verified: {verified.join(', ')}.</p>}
      {token !== undefined && (
        <>
          <h3>Token of the plan</h3>
          <Code label="Token of the plan" text={token} copy />
        </>
      )}
    </>
  );
}

/** A sign beside the word: colour alone tells nothing. */
const SIGNS: Readonly<Record<string, string>> = {
  keep: '=',
  create: '+',
  adopt: '↪',
  update: '~',
  replace: '±',
  remove: '−',
  conflict: '!',
};

function Deed({ planned, plan }: { readonly planned: string; readonly plan: string }) {
  return (
    <span class="deed">
      <span aria-hidden="true">{SIGNS[planned]}</span> {plan}
    </span>
  );
}

function Change({ change }: { readonly change: RunResource }) {
  const { resource, planned, plan, done, name, id, why, differences, irreversible, isReadTwice } = change;
  return (
    <li class={`change ${planned}`}>
      <p>
        <Deed planned={planned} plan={plan} /> <strong>{resource}</strong> <bdi>{name}</bdi>
        {done !== planned && <span class="done">{done}</span>}
      </p>
      {id !== undefined && (
        <p class="id">
          <bdi>{id}</bdi>
        </p>
      )}
      <p class="why">{why}</p>
      {differences.map(({ field, found, wanted }) => (
        <div class="difference" key={field}>
          <span class="field">{field}</span>
          <del>
            <span aria-hidden="true">−</span> <bdi>{found}</bdi>
          </del>
          <ins>
            <span aria-hidden="true">+</span> <bdi>{wanted}</bdi>
          </ins>
        </div>
      ))}
      {irreversible !== undefined && (
        <p class="warning">
          <span aria-hidden="true">⚠</span> <strong>Irreversible:</strong> {irreversible}
        </p>
      )}
      {isReadTwice && (
        <p class="warning">
          <span aria-hidden="true">⚠</span> Records are read twice: see the warnings.
        </p>
      )}
    </li>
  );
}
