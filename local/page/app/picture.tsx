// Draws the parts of a picture from top to bottom, where an established library has placed them.
import { graphlib, layout } from '@dagrejs/dagre';
import { useMemo } from 'preact/hooks';
import type { Part, Picture } from '../told.ts';
import { Sign, told } from './parts.tsx';

/** Of a part, in CSS pixels. */
const WIDTH = 232;
const HEIGHT = 70;
const BETWEEN = 26;

interface Placed {
  readonly width: number;
  readonly height: number;
  readonly at: ReadonlyMap<string, { readonly left: number; readonly top: number }>;
  /** As paths of SVG. */
  readonly lines: readonly { readonly key: string; readonly path: string }[];
}

function placed(ids: readonly string[], links: readonly (readonly [string, string])[]): Placed {
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: 'TB', nodesep: 24, ranksep: BETWEEN, marginx: 4, marginy: 4 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of ids) graph.setNode(id, { width: WIDTH, height: HEIGHT });
  for (const [from, to] of links) graph.setEdge(from, to);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  const at = ids.map((id): [string, { left: number; top: number }] => {
    const { x = 0, y = 0 } = graph.node(id);
    return [id, { left: x - WIDTH / 2, top: y - HEIGHT / 2 }];
  });
  const lines = graph.edges().map((edge) => {
    const points: readonly { x: number; y: number }[] = graph.edge(edge).points ?? [];
    return { key: `${edge.v} ${edge.w}`, path: curve(points) };
  });
  return { width, height, at: new Map(at), lines };
}

function curve([first, ...rest]: readonly { readonly x: number; readonly y: number }[]): string {
  if (first === undefined) return '';
  let [path, { x, y }] = [`M${first.x} ${first.y}`, first];
  for (const to of rest) {
    const middle = (y + to.y) / 2;
    path += `C${x} ${middle} ${to.x} ${middle} ${to.x} ${to.y}`;
    ({ x, y } = to);
  }
  return path;
}

export interface PictureProps {
  readonly picture: Picture;
  /** The pipeline that is looked at: its parts stand out. */
  readonly name: string;
  readonly chosen: string | undefined;
  readonly onChoose: (id: string) => void;
}

export function PictureOf({ picture, name, chosen, onChoose }: PictureProps) {
  const { parts, links } = picture;
  const shape = JSON.stringify([parts.map(({ id }) => id), links]);
  // Counters move and parts stay where they are: it is laid out anew only where a part comes or goes.
  const { width, height, at, lines } = useMemo(
    () =>
      placed(
        parts.map(({ id }) => id),
        links,
      ),
    [shape],
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="picture-frame" tabIndex={0} aria-label="Parts, in the order that records take">
      <div class="picture" style={{ width: `${width}px`, height: `${height}px` }}>
        <svg width={width} height={height} aria-hidden="true">
          {lines.map(({ key, path }) => (
            <path key={key} d={path} />
          ))}
        </svg>
        {parts.map((part) => (
          <PartBox
            key={part.id}
            part={part}
            place={at.get(part.id) ?? { left: 0, top: 0 }}
            isOther={part.id.includes('/') && !part.id.startsWith(`${name}/`)}
            isChosen={part.id === chosen}
            onChoose={onChoose}
          />
        ))}
      </div>
    </section>
  );
}

interface BoxProps {
  readonly part: Part;
  readonly place: { readonly left: number; readonly top: number };
  readonly isOther: boolean;
  readonly isChosen: boolean;
  readonly onChoose: (id: string) => void;
}

function PartBox({ part, place, isOther, isChosen, onChoose }: BoxProps) {
  const { id, kind, name, health, says, counts } = part;
  return (
    <button
      type="button"
      class={`part ${health}${isOther ? ' other' : ''}`}
      aria-pressed={isChosen}
      style={{ left: `${place.left}px`, top: `${place.top}px`, width: `${WIDTH}px`, height: `${HEIGHT}px` }}
      onClick={() => onChoose(id)}
    >
      <span class="part-kind">
        <Sign health={health} /> {kind}
      </span>
      <bdi class="part-name">{name}</bdi>
      <span class="part-says">
        {counts.length === 0 ? says : counts.map(([what, value]) => `${told(value)} ${what}`).join(' · ')}
      </span>
    </button>
  );
}
