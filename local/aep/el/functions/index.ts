// Every function the mapping language knows, by name.

import { DATES } from './dates.ts';
import { type Definition, define, unlessNull } from './definition.ts';
import { HIERARCHIES } from './hierarchies.ts';
import { LOGICS } from './logic.ts';
import { STRINGS } from './strings.ts';
import { URLS } from './urls.ts';

const IDENTIFIERS: readonly Definition[] = ['uuid', 'guid'].map((name) =>
  define('Special operations', `${name}()`, (_inputs, around) => around.uuid()),
);

/** User-agent and Analytics functions are known by name, so that a mapping may use them; they answer null. */
const UNPLAYED: readonly Definition[] = [
  'ua_os_name',
  'ua_os_version',
  'ua_os_version_major',
  'ua_os_name_version',
  'ua_agent_name',
  'ua_agent_version',
  'ua_agent_version_major',
  'ua_device_class',
].map((name) =>
  define(
    'User agent',
    `${name}(USER_AGENT)`,
    unlessNull(() => null),
  ),
);

const ALL = [...STRINGS, ...DATES, ...HIERARCHIES, ...URLS, ...LOGICS, ...IDENTIFIERS, ...UNPLAYED];

export const FUNCTIONS: ReadonlyMap<string, Definition> = new Map(ALL.map((each) => [each.name, each]));
