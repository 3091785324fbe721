// The standard classes and the behaviors under them (contract §2.2; field names as seen in the platform).

import { auditable, identityMap } from './datatypes.ts';
import { type Field, group, moment, text } from './field.ts';

export const PROFILE_CLASS = 'https://ns.adobe.com/xdm/context/profile';
export const EVENT_CLASS = 'https://ns.adobe.com/xdm/context/experienceevent';
export const RECORD = 'https://ns.adobe.com/xdm/data/record';
export const TIME_SERIES = 'https://ns.adobe.com/xdm/data/time-series';

export interface StandardClass {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly extends: readonly string[];
  readonly field: Field;
}

export const BEHAVIORS: readonly StandardClass[] = [
  {
    id: RECORD,
    title: 'Record Schema',
    description: 'Describes the attributes of a subject.',
    extends: [],
    field: group({ _id: text({ format: 'uri-reference' }) }),
  },
  {
    id: TIME_SERIES,
    title: 'Time-series Schema',
    description: 'Describes something that happened at a moment.',
    extends: [],
    field: group({ _id: text({ format: 'uri-reference' }), timestamp: moment, eventType: text() }),
  },
];

export const CLASSES: readonly StandardClass[] = [
  {
    id: PROFILE_CLASS,
    title: 'XDM Individual Profile',
    description: 'One person, identified or partly identified.',
    extends: ['https://ns.adobe.com/xdm/common/auditable', RECORD],
    field: group({ ...auditable, _id: text({ format: 'uri-reference' }), personID: text() }),
  },
  {
    id: EVENT_CLASS,
    title: 'XDM ExperienceEvent',
    description: 'A fact: something happened at a moment, to somebody.',
    extends: [TIME_SERIES, 'https://ns.adobe.com/xdm/context/identitymap'],
    field: group(
      {
        _id: text({ format: 'uri-reference' }),
        timestamp: moment,
        eventType: text(),
        eventMergeId: text(),
        producedBy: text(),
        identityMap,
      },
      ['_id', 'timestamp'],
    ),
  },
];
