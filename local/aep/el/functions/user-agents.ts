// User-agent functions: the parsing is bowser's; the words for a device are Adobe's.

import Bowser from 'bowser';
import { asText, type Value } from '../values.ts';
import { type Definition, define, unlessNull } from './definition.ts';

/** Adobe's list has more: what bowser cannot tell apart is the nearest of these. */
const DEVICES: ReadonlyMap<string, string> = new Map([
  ['mobile', 'Phone'],
  ['tablet', 'Tablet'],
  ['desktop', 'Desktop'],
  ['tv', 'TV'],
  ['bot', 'Robot'],
]);

interface Agent {
  readonly name: string | undefined;
  readonly version: string | undefined;
}

interface Parsed {
  readonly os: Agent;
  readonly agent: Agent;
  readonly device: string;
}

const parsed = new Map<string, Parsed>();

function parse(text: string): Parsed {
  const known = parsed.get(text);
  if (known) return known;
  const { os, browser, platform } = Bowser.parse(text);
  const made = {
    os: { name: os.name, version: os.version },
    agent: { name: browser.name, version: browser.version },
    device: DEVICES.get(platform.type ?? '') ?? 'Unknown',
  };
  // They come from records, so the cache is bounded.
  if (parsed.size > 1_000) parsed.clear();
  parsed.set(text, made);
  return made;
}

const major = ({ version }: Agent): string | undefined => version?.split('.')[0];

function together(name: string | undefined, version: string | undefined): string | undefined {
  return name && version ? `${name} ${version}` : name;
}

const agent = (name: string, read: (parsed: Parsed) => string | undefined): Definition =>
  define(
    'User agent',
    `${name}(USER_AGENT)`,
    unlessNull((subject): Value => {
      const text = asText(subject);
      return text === '' ? null : read(parse(text)) || null;
    }),
  );

export const USER_AGENTS: readonly Definition[] = [
  agent('ua_os_name', ({ os }) => os.name),
  agent('ua_os_version', ({ os }) => os.version),
  agent('ua_os_version_major', ({ os }) => together(os.name, major(os))),
  agent('ua_os_name_version', ({ os }) => together(os.name, os.version)),
  agent('ua_agent_name', (found) => found.agent.name),
  agent('ua_agent_version', (found) => found.agent.version),
  agent('ua_agent_version_major', (found) => together(found.agent.name, major(found.agent))),
  agent('ua_device_class', ({ device }) => device),
];
