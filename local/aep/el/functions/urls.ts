// URL functions of the mapping language; an invalid URL answers null.

import { asText, asTruth, type Value } from '../values.ts';
import { type Definition, define, unlessNull } from './definition.ts';

const DEFAULT_PORTS: { readonly [protocol: string]: number } = {
  http: 80,
  https: 443,
  ftp: 21,
  sftp: 22,
  ssh: 22,
};

const url = (syntax: string, read: (parts: RegExpExecArray, rest: readonly Value[]) => Value): Definition =>
  define(
    'URL',
    syntax,
    unlessNull((subject, rest) => {
      const parts =
        /^([a-z][a-z0-9+.-]*):\/\/(?:[^/?#@]*@)?(\[[^\]/?#]*\]|[^/:?#]*)(?::(\d*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/i.exec(
          asText(subject),
        );
      return parts === null ? null : read(parts, rest);
    }),
  );

export const URLS: readonly Definition[] = [
  url('get_url_protocol(URL)', (parts) => (parts[1] as string).toLowerCase()),
  url('get_url_host(URL)', (parts) => parts[2] ?? null),
  url('get_url_port(URL)', (parts) =>
    parts[3] ? Number(parts[3]) : (DEFAULT_PORTS[(parts[1] as string).toLowerCase()] ?? null),
  ),
  url('get_url_path(URL, [FULL_PATH])', (parts, [full]) => {
    const path = parts[4] ?? '';
    return full === undefined || asTruth(full) ? path : (path.split('/').at(-1) ?? '');
  }),
  url('get_url_query_str(URL, ANCHOR)', (parts, [anchor]) => {
    const how = asText(anchor ?? null);
    const query = `${parts[5] ?? ''}${how === 'retain' && parts[6] ? `#${parts[6]}` : ''}`;
    const fields: { [key: string]: Value } = Object.fromEntries(
      query
        .split('&')
        .filter(Boolean)
        .map((pair) => {
          const [key, ...rest] = pair.split('=');
          return [key as string, rest.join('=')];
        }),
    );
    return how === 'append' && parts[6] ? { ...fields, _anchor_: parts[6] } : fields;
  }),
  define(
    'URL',
    'get_url_encoded(TEXT)',
    // Adobe's table has more letters encoded than encodeURIComponent.
    unlessNull((subject) =>
      encodeURIComponent(asText(subject)).replace(
        /[!'()*~]/g,
        (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
      ),
    ),
  ),
  define(
    'URL',
    'get_url_decoded(TEXT)',
    unlessNull((subject) => decodeURIComponent(asText(subject))),
  ),
];
