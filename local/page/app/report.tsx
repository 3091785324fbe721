// The report of an execution: what became of each resource, what has to be known, and what is next.
import type { ToldReport } from '../told-stage.ts';
import { Sign } from './parts.tsx';

export function ReportOf({ report }: { readonly report: ToldReport }) {
  const { isBad, says, resources, warnings, verified, next } = report;
  return (
    <>
      <p class="says">
        <Sign health={isBad ? 'bad' : 'good'} />
        <bdi>{says}</bdi>
      </p>
      {next.map((one) => (
        <p key={one} class="next">
          Next: <bdi>{one}</bdi>
        </p>
      ))}
      {warnings.map((one) => (
        <p key={one} class="warning">
          <strong>Warning:</strong> <bdi>{one}</bdi>
        </p>
      ))}
      {resources.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        <section class="table-frame" tabIndex={0} aria-label="Resources of the report">
          <table>
            <thead>
              <tr>
                <th scope="col">Resource</th>
                <th scope="col">Done</th>
                <th scope="col">Name and id</th>
                <th scope="col">Why</th>
              </tr>
            </thead>
            <tbody>
              {resources.map(({ resource, done, name, id, why }) => (
                <tr key={resource}>
                  <th scope="row">
                    <bdi>{resource}</bdi>
                  </th>
                  <td>{done}</td>
                  <td>
                    <bdi>{name}</bdi>
                    {id !== undefined && id !== name && <bdi class="id">{id}</bdi>}
                  </td>
                  <td>
                    {why.map((line) => (
                      <bdi key={line} class="line">
                        {line}
                      </bdi>
                    ))}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {verified.length > 0 && <p class="says">Verified: {verified.join(', ')}</p>}
    </>
  );
}
