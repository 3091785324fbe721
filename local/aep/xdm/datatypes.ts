// The data types the standard classes and field groups are made of (facts from adobe/xdm, components/datatypes).

import {
  day,
  decimal,
  type Field,
  flag,
  group,
  list,
  mapOf,
  matching,
  moment,
  oneOf,
  text,
  whole,
} from './field.ts';

/** Who wrote a record and when: the platform's auditable type. */
export const auditable = {
  _repo: group({ createDate: moment, modifyDate: moment }),
  createdByBatchID: text({ format: 'uri-reference' }),
  modifiedByBatchID: text({ format: 'uri-reference' }),
  repositoryCreatedBy: text(),
  repositoryLastModifiedBy: text(),
};

export const personName = group({
  firstName: text(),
  lastName: text(),
  middleName: text(),
  courtesyTitle: text(),
  suffix: text(),
  fullName: text(),
});

export const person = group({
  name: personName,
  birthDate: day,
  birthDayAndMonth: matching('[0-1][0-9]-[0-9][0-9]'),
  birthYear: whole({ minimum: 1, maximum: 32767 }),
  gender: oneOf('male', 'female', 'not_specified', 'non_specific'),
  maritalStatus: oneOf('married', 'single', 'divorced', 'widowed', 'not_specified'),
  nationality: matching('^[A-Z]{2}$'),
  taxId: text(),
  type: text(),
});

export const address = group({
  ...auditable,
  _schema: group({ latitude: decimal, longitude: decimal, elevation: decimal, description: text() }),
  primary: flag,
  label: text(),
  street1: text(),
  street2: text(),
  street3: text(),
  street4: text(),
  city: text(),
  region: text(),
  state: text(),
  stateProvince: matching('([A-Z]{2}-[A-Z0-9]{1,3}|)'),
  postalCode: text(),
  postOfficeBox: text({ maxLength: 20 }),
  country: text(),
  countryCode: matching('^[A-Z]{2}$'),
  dmaID: whole(),
  msaID: whole(),
  status: text(),
  statusReason: text(),
  lastVerifiedDate: day,
});

export const emailAddress = group({
  primary: flag,
  address: text({ format: 'email' }),
  label: text(),
  type: text(),
  status: text(),
  statusReason: text(),
});

export const phoneNumber = group({
  primary: flag,
  countryCode: text({ pattern: '^[0-9]{1,3}?$', minLength: 1, maxLength: 3 }),
  number: text(),
  extension: text(),
  status: text(),
  statusReason: text(),
  validity: text(),
});

export const identityItem = group({
  id: text(),
  authenticatedState: oneOf('ambiguous', 'authenticated', 'loggedOut'),
  primary: flag,
});

/** Namespace code → identities. */
export const identityMap = mapOf(list(identityItem));

export interface StandardType {
  readonly id: string;
  readonly title: string;
  readonly field: Field;
}

export const DATA_TYPES: readonly StandardType[] = [
  { id: 'https://ns.adobe.com/xdm/context/person', title: 'Person', field: person },
  { id: 'https://ns.adobe.com/xdm/context/person-name', title: 'Person name', field: personName },
  { id: 'https://ns.adobe.com/xdm/common/address', title: 'Postal address', field: address },
  { id: 'https://ns.adobe.com/xdm/context/emailaddress', title: 'Email address', field: emailAddress },
  { id: 'https://ns.adobe.com/xdm/context/phonenumber', title: 'Phone number', field: phoneNumber },
  { id: 'https://ns.adobe.com/xdm/context/identityitem', title: 'Identity item', field: identityItem },
  { id: 'https://ns.adobe.com/xdm/common/auditable', title: 'Auditable', field: group(auditable) },
];
