// Draws lines over time on a canvas, by uPlot. Whoever cannot see it has the table beside it.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { ChartLine } from '../told.ts';

const HEIGHT = 180;
/** Colour alone tells no line from another. */
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [14, 4], [4, 8]] as const;

export interface DrawnProps {
  /** In s since the epoch. */
  readonly times: readonly number[];
  readonly lines: readonly ChartLine[];
}

export function DrawnLines({ times, lines }: DrawnProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const isDark = useIsDark();
  const data = [times, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  useEffect(() => {
    const { current } = box;
    if (current === null) return;
    const drawn = new uPlot(optionsFor(current, lines.length), data, current);
    plot.current = drawn;
    const observer = new ResizeObserver(() =>
      drawn.setSize({ width: Math.max(120, current.clientWidth), height: HEIGHT }),
    );
    observer.observe(current);
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
    // The lines are drawn anew where there are others, or in other colours.
  }, [lines.map(({ name }) => name).join('\n'), isDark]);
  useEffect(() => plot.current?.setData(data), [times, lines]);
  return <div ref={box} class="drawn" aria-hidden="true" />;
}

/** The colour and the dashes of a line, beside its name. */
export function Swatch({ index }: { readonly index: number }) {
  return (
    <svg class={`swatch line-${index}`} width="28" height="10" aria-hidden="true">
      <line x1="0" y1="5" x2="28" y2="5" stroke-dasharray={(DASHES[index] ?? []).join(' ')} />
    </svg>
  );
}

function optionsFor(box: HTMLElement, count: number): uPlot.Options {
  const style = getComputedStyle(box);
  const of = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: of('--soft'),
    grid: { stroke: of('--line'), width: 1 },
    ticks: { stroke: of('--line') },
  };
  return {
    width: Math.max(120, box.clientWidth),
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
    axes: [
      { ...axis, values: '{HH}:{mm}' },
      { ...axis, size: 58 },
    ],
    series: [
      {},
      ...Array.from({ length: count }, (_, index) => ({
        stroke: of(`--line-${index}`),
        width: 2,
        dash: [...(DASHES[index] ?? [])],
        spanGaps: true,
        points: { show: hasGaps },
      })),
    ],
  };
}

/** What is measured now and then has points: a line needs two. */
function hasGaps({ data }: uPlot, series: number): boolean {
  return Array.from<number | null | undefined>(data[series] ?? []).some((value) => value === null);
}

const DARK = matchMedia('(prefers-color-scheme: dark)');

function useIsDark(): boolean {
  const [isDark, setDark] = useState(DARK.matches);
  useEffect(() => {
    const changed = () => setDark(DARK.matches);
    DARK.addEventListener('change', changed);
    return () => DARK.removeEventListener('change', changed);
  }, []);
  return isDark;
}
