// One JSON text in a record: a list of messages, or an object that holds the list. RFC 8259
import { withoutBom } from '../../json/check.ts';
import { skipSpace } from '../../json/json.ts';
import { rejected } from '../../verdict.ts';
import { type Expander, expanderOf } from './expander.ts';
import { createTextReader, type ListOptions } from './json-text.ts';

/** Text with a mistake anywhere is no JSON, so it is one reject: nothing says where an item would begin. */
export function createJsonArray(options: ListOptions): Expander {
  const readText = createTextReader(options);
  return expanderOf((bytes, add) => {
    const text = withoutBom(bytes);
    return skipSpace(text, 0) === text.length ? rejected('empty', 'no data') : readText(text, add);
  });
}
