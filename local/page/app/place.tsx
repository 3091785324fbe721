// Where one is on the page: each area and each thing in it has an address.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const MOVED = 'penstock-moved';

/** `['requests', '12']` of `/requests/12`. */
export function usePlace(): readonly string[] {
  const [path, setPath] = useState(location.pathname);
  useEffect(() => {
    const moved = () => setPath(location.pathname);
    addEventListener('popstate', moved);
    addEventListener(MOVED, moved);
    return () => {
      removeEventListener('popstate', moved);
      removeEventListener(MOVED, moved);
    };
  }, []);
  return path.split('/').filter(Boolean).map(decoded);
}

/** A path that somebody typed may be no text. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function pathOf(...parts: readonly string[]): string {
  return `/${parts.map(encodeURIComponent).join('/')}`;
}

/** @param isNext whether the way back leads past it: one goes through a list without filling the history */
export function go(path: string, isNext = true): void {
  if (path === location.pathname) return;
  if (isNext) history.pushState(null, '', path);
  else history.replaceState(null, '', path);
  dispatchEvent(new Event(MOVED));
}

export interface LinkProps {
  readonly to: string;
  readonly current?: boolean;
  readonly children: ComponentChildren;
}

export function Link({ to, current = false, children }: LinkProps) {
  return (
    <a
      href={to}
      aria-current={current ? 'page' : undefined}
      onClick={(event) => {
        // Another window is for the browser to open.
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
