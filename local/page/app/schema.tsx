// A schema as a tree: what is filled is open, and stands out.
import type { SchemaDetail, SchemaField } from '../told.ts';
import { useAsked } from './asked.ts';
import { Sign } from './parts.tsx';
import './schema.css';

export function SchemaOf({ dataset }: { readonly dataset: string }) {
  const schema = useAsked<SchemaDetail>(`/api/schema?dataset=${encodeURIComponent(dataset)}`);
  if (schema === undefined) return null;
  if (schema === 'gone') return <p class="says">Its schema is not there any more.</p>;
  return (
    <section aria-label="The schema">
      <h3>
        Schema <bdi>{schema.title}</bdi>
      </h3>
      <Fields fields={schema.fields} />
    </section>
  );
}

const isFilled = ({ filledBy, fields }: SchemaField): boolean => filledBy.length > 0 || fields.some(isFilled);

function Fields({ fields }: { readonly fields: readonly SchemaField[] }) {
  return (
    <ul class="tree">
      {fields.map((field) => (
        <li key={field.name}>
          {field.fields.length === 0 ? (
            <Line field={field} />
          ) : (
            <details class="branch" open={isFilled(field)}>
              <summary>
                <Line field={field} />
              </summary>
              <Fields fields={field.fields} />
            </details>
          )}
        </li>
      ))}
    </ul>
  );
}

function Line({ field: { name, type, isRequired, from, filledBy } }: { readonly field: SchemaField }) {
  return (
    <span class="leaf">
      <bdi class="leaf-name">{name}</bdi> <span class="leaf-type">{type}</span>
      {isRequired && <strong> required</strong>}
      {filledBy.map((source) => (
        <span class="leaf-source" key={source}>
          <Sign health="good" />
          filled by <bdi>{source}</bdi>
        </span>
      ))}
      <span class="leaf-from">{from}</span>
    </span>
  );
}
