// The built files of the page, as a browser gets them: strict about what they may load and who may frame them.
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

/** No script or style but our own files, no other host, no frame around it. */
export const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface File {
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Buffer;
}

const ASSET = /^\/assets\/[\w-]+\.(?:js|css|svg)$/;
/** `/requests/12`: where the page itself knows what is meant. Behind its area anything may stand, also `.json`. */
const PLACE = /^\/(?!assets\/)[^./]*(?:\/.*)?$/;

/** The file behind a path; every area of the page is the same document. `undefined` where there is none. */
export async function fileAt(folder: string, path: string): Promise<File | undefined> {
  const isAsset = ASSET.test(path);
  if (!isAsset && !PLACE.test(path)) return undefined;
  const name = isAsset ? path : '/index.html';
  const content = await readFile(join(folder, name)).catch(() => undefined);
  if (content === undefined) return undefined;
  return {
    content,
    headers: {
      'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
      // An asset's name changes with its content.
      'cache-control': isAsset ? 'public, max-age=31536000, immutable' : 'no-store',
    },
  };
}
