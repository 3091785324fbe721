// A list of any length: only the rows that can be seen are there, and the arrow keys move through all of them.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

export interface ListProps<T> {
  readonly label: string;
  readonly rows: readonly T[];
  /** In CSS pixels: all rows are alike. */
  readonly rowHeight: number;
  readonly keyOf: (row: T) => string;
  readonly chosen: string | undefined;
  readonly onChoose: (key: string) => void;
  readonly children: (row: T) => ComponentChildren;
  /** What it says where there is no row. */
  readonly empty: ComponentChildren;
}

/** Rows beyond the edges, so that nothing flickers. */
const BEYOND = 8;
/** A browser cannot scroll further, in CSS pixels. */
const TALLEST = 8_000_000;

export function List<T>(props: ListProps<T>) {
  const { label, rows, rowHeight, keyOf, chosen, onChoose, children, empty } = props;
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const [view, setView] = useState({ top: 0, height: 600 });
  const place = useMemo(
    // Of a busy stream there are 100,000 rows, and new ones twice a second.
    () => (chosen === undefined ? -1 : rows.findIndex((row) => keyOf(row) === chosen)),
    [rows, chosen],
  );
  useLayoutEffect(() => {
    const { current } = box;
    if (current === null) return;
    const look = () => setView({ top: current.scrollTop, height: current.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(current);
    current.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      current.removeEventListener('scroll', look);
    };
  }, []);
  useEffect(() => {
    const { current } = box;
    if (current === null || place < 0) return;
    const [top, bottom] = [place * rowHeight, (place + 1) * rowHeight];
    if (top < current.scrollTop) current.scrollTop = top;
    else if (bottom > current.scrollTop + current.clientHeight)
      current.scrollTop = bottom - current.clientHeight;
  }, [chosen]);

  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(view.height / rowHeight) - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: place + 1,
      ArrowUp: place < 0 ? 0 : place - 1,
      PageDown: place + page,
      PageUp: place - page,
      Home: 0,
      End: rows.length - 1,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = rows[Math.min(rows.length - 1, Math.max(0, step))];
    if (next !== undefined) onChoose(keyOf(next));
  };
  const first = Math.max(0, Math.floor(view.top / rowHeight) - BEYOND);
  const shown = rows.slice(first, first + Math.ceil(view.height / rowHeight) + 2 * BEYOND);
  const inSight = place >= first && place < first + shown.length;
  return (
    <div class="list-frame">
      {rows.length === 0 && <div class="empty">{empty}</div>}
      <div
        class="list"
        ref={box}
        role="listbox"
        aria-label={label}
        tabIndex={0}
        hidden={rows.length === 0}
        aria-activedescendant={inSight ? `${id}-${place}` : undefined}
        onKeyDown={onKeyDown}
      >
        <div role="presentation" style={{ height: `${Math.min(TALLEST, rows.length * rowHeight)}px` }}>
          {shown.map((row, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the list
            <div
              key={keyOf(row)}
              id={`${id}-${first + index}`}
              class="row"
              role="option"
              tabIndex={-1}
              aria-selected={first + index === place}
              aria-setsize={rows.length}
              aria-posinset={first + index + 1}
              style={{ top: `${(first + index) * rowHeight}px`, height: `${rowHeight}px` }}
              onClick={() => onChoose(keyOf(row))}
            >
              {children(row)}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
