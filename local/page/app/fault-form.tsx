// A fault of one's own: what happens, to which calls, and how often.
import { useId, useState } from 'preact/hooks';
import type { FaultKind, FaultSpec } from '../../aep/fault-kinds.ts';
import type { FaultPlace } from '../told.ts';
import { FIELDS, type FieldName, KINDS } from './kinds.ts';

const GROUPS = Map.groupBy(Object.entries(KINDS), ([, { group }]) => group);
/** What is chosen to type a path. */
const OWN = 'own';
const NUMBERS: ReadonlySet<FieldName> = new Set<FieldName>([
  'status',
  'retryAfter',
  'latencyMs',
  'bytes',
  'staleMs',
  'count',
]);

interface FormProps {
  readonly places: readonly FaultPlace[];
  readonly isBusy: boolean;
  readonly onFault: (fault: FaultSpec) => void;
}

export function FaultForm({ places, isBusy, onFault }: FormProps) {
  const [kind, setKind] = useState<FaultKind>('refuse');
  const [place, setPlace] = useState<string>(places[0]?.path ?? OWN);
  const [path, setPath] = useState('/**');
  const [method, setMethod] = useState('');
  const [fields, setFields] = useState<Partial<Record<FieldName, string>>>({});
  const [often, setOften] = useState({ times: '', chance: '100', after: '0' });
  const { fields: taken } = KINDS[kind];
  const textOf = (name: FieldName) => fields[name] ?? FIELDS[name].begins;
  const asked = (): FaultSpec => ({
    kind,
    path: place === OWN ? path : place,
    ...(method !== '' && { method }),
    ...Object.fromEntries(
      taken
        .filter((name) => textOf(name) !== '')
        .map((name) => [name, NUMBERS.has(name) ? Number(textOf(name)) : textOf(name)]),
    ),
    ...(often.times !== '' && { times: Number(often.times) }),
    ...(Number(often.after) > 0 && { after: Number(often.after) }),
    ...(often.chance !== '100' && { probability: Number(often.chance) / 100 }),
  });
  const oftenOf = (name: keyof typeof often) => ({
    value: often[name],
    onValue: (value: string) => setOften({ ...often, [name]: value }),
  });
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        onFault(asked());
      }}
    >
      <label class="field broad">
        <span>What happens</span>
        <select value={kind} onChange={(event) => setKind(event.currentTarget.value as FaultKind)}>
          {[...GROUPS].map(([group, kinds]) => (
            <optgroup key={group} label={group}>
              {kinds.map(([name, one]) => (
                <option key={name} value={name}>
                  {one.name}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </label>
      <label class="field broad">
        <span>To which calls</span>
        <select value={place} onChange={(event) => setPlace(event.currentTarget.value)}>
          {places.map((one) => (
            <option key={one.path} value={one.path}>
              {one.name}
            </option>
          ))}
          <option value={OWN}>another path …</option>
        </select>
      </label>
      {place === OWN && (
        <label class="field broad">
          <span>Path: * is one part of it, ** any number</span>
          <input value={path} required onInput={(event) => setPath(event.currentTarget.value)} />
        </label>
      )}
      {taken.map((name) => (
        <Field
          key={name}
          label={FIELDS[name].label}
          isNumber={NUMBERS.has(name)}
          value={textOf(name)}
          onValue={(value) => setFields({ ...fields, [name]: value })}
        />
      ))}
      <label class="field">
        <span>Method</span>
        <select value={method} onChange={(event) => setMethod(event.currentTarget.value)}>
          <option value="">any</option>
          {['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <Field label="Times (empty: until you end it)" isNumber {...oftenOf('times')} />
      <Field label="Chance, in %" isNumber most={100} isNeeded {...oftenOf('chance')} />
      <Field label="Spare the first" isNumber isNeeded {...oftenOf('after')} />
      <button type="submit" class="primary" aria-disabled={isBusy}>
        Switch this fault on
      </button>
    </form>
  );
}

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly isNumber: boolean;
  readonly isNeeded?: boolean;
  readonly most?: number;
}

function Field({ label, value, onValue, isNumber, isNeeded = false, most }: FieldProps) {
  const id = useId();
  const more = {
    id,
    value,
    required: isNeeded,
    onInput: (event: { readonly currentTarget: HTMLInputElement }) => onValue(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {isNumber ? (
        <input type="number" min={0} step="any" {...(most !== undefined && { max: most })} {...more} />
      ) : (
        <input type="text" {...more} />
      )}
    </div>
  );
}
