// The standard field groups a streaming pipeline meets first (contract §2.2).

import { EVENT_CLASS, PROFILE_CLASS } from './classes.ts';
import { address, emailAddress, identityMap, person, phoneNumber } from './datatypes.ts';
import { type Field, group, list, text } from './field.ts';

export const IDENTITY_MAP = 'https://ns.adobe.com/xdm/context/identitymap';

export interface StandardFieldGroup {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly intendedToExtend: readonly string[];
  readonly field: Field;
}

export const FIELD_GROUPS: readonly StandardFieldGroup[] = [
  {
    id: 'https://ns.adobe.com/xdm/context/profile-person-details',
    title: 'Demographic Details',
    description: 'Who a person is: name, birth, gender.',
    intendedToExtend: [PROFILE_CLASS, EVENT_CLASS],
    field: group({ person }),
  },
  {
    id: 'https://ns.adobe.com/xdm/context/profile-personal-details',
    title: 'Personal Contact Details',
    description: 'How to reach a person at home.',
    intendedToExtend: [PROFILE_CLASS, EVENT_CLASS],
    field: group({
      homeAddress: address,
      personalEmail: emailAddress,
      homePhone: phoneNumber,
      mobilePhone: phoneNumber,
      faxPhone: phoneNumber,
      mailingAddress: address,
      shippingAddress: address,
      shippingAddressPhone: phoneNumber,
      billingAddress: address,
      billingAddressPhone: phoneNumber,
    }),
  },
  {
    id: 'https://ns.adobe.com/xdm/context/profile-work-details',
    title: 'Work Contact Details',
    description: 'How to reach a person at work.',
    intendedToExtend: [PROFILE_CLASS],
    field: group({
      workAddress: address,
      workEmail: emailAddress,
      workPhone: phoneNumber,
      organizations: list(text()),
    }),
  },
  {
    id: IDENTITY_MAP,
    title: 'IdentityMap',
    description: 'Identities by namespace.',
    intendedToExtend: [],
    field: group({ identityMap }),
  },
];
