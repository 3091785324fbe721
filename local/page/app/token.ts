// The token of the page: it comes behind the hash of the address in the terminal, and stays in this browser.

const KEY = 'penstock-token';

/** Takes the token out of the address, so that nobody copies it with a link. */
export function takeToken(): void {
  const given = location.hash.slice(1);
  if (given === '') return;
  localStorage.setItem(KEY, given);
  history.replaceState(null, '', location.pathname + location.search);
}

/** For an address that a browser opens by itself: it can send no header there. */
export function token(): string {
  return localStorage.getItem(KEY) ?? '';
}

export function tokenHeader(): Record<string, string> {
  return { 'x-penstock-token': token() };
}
