// Keeps the keyboard's focus on the page, when the element that had it is taken away with a panel or a row.

const PARTS = 'section, aside, main';

/** Focus that is lost with its element goes to the nearest part of the page that is still there. */
export function keepFocus(root: HTMLElement): void {
  let parts: readonly HTMLElement[] = [];
  let last: Element | undefined;
  root.addEventListener('focusin', ({ target }) => {
    last = target as Element;
    parts = partsAround(last);
  });
  // An element that is taken away tells nobody.
  new MutationObserver(() => {
    const { activeElement } = document;
    const isLost = last?.isConnected === false && (activeElement === null || activeElement === document.body);
    if (!isLost) return;
    last = undefined;
    const part = parts.find((one) => one.isConnected);
    if (part === undefined) return;
    if (!part.hasAttribute('tabindex')) part.tabIndex = -1;
    part.focus({ preventScroll: true });
  }).observe(root, { childList: true, subtree: true });
}

/** The nearest first. */
function partsAround(element: Element): HTMLElement[] {
  const part = element.parentElement?.closest<HTMLElement>(PARTS) ?? undefined;
  return part === undefined ? [] : [part, ...partsAround(part)];
}
