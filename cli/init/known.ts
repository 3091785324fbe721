// Names that many records have, with the fields of Adobe's field groups that mean the same.
import type { Decision } from './fields.ts';
import { formCount, kindCount, kindsOf, type Node } from './tally.ts';

/** What the field of Adobe's takes. */
type Takes =
  | 'text'
  | 'email'
  | 'country'
  | 'currency'
  | 'ipv4'
  | 'gender'
  | 'number'
  | 'integer'
  | 'day'
  | 'time';

export interface Known {
  readonly destination: string;
  readonly group: string;
  readonly takes: Takes;
}

export type Class = 'profile' | 'experienceevent';

const of = (group: string, takes: Takes, destination: string): Known => ({ destination, group, takes });

const PERSON = 'profile-person-details';
const PERSONAL = 'profile-personal-details';
const COMMERCE = 'experienceevent-commerce';
const WEB = 'experienceevent-web';
const ENVIRONMENT = 'experienceevent-environment-details';
const LOYALTY = 'profile-loyalty-details';

/** Of a person, in both classes. Names are without blanks, `_`, `-` and capitals. */
const PERSONS: Readonly<Record<string, Known>> = {
  firstname: of(PERSON, 'text', 'person.name.firstName'),
  givenname: of(PERSON, 'text', 'person.name.firstName'),
  forename: of(PERSON, 'text', 'person.name.firstName'),
  lastname: of(PERSON, 'text', 'person.name.lastName'),
  surname: of(PERSON, 'text', 'person.name.lastName'),
  familyname: of(PERSON, 'text', 'person.name.lastName'),
  middlename: of(PERSON, 'text', 'person.name.middleName'),
  fullname: of(PERSON, 'text', 'person.name.fullName'),
  gender: of(PERSON, 'gender', 'person.gender'),
  birthdate: of(PERSON, 'day', 'person.birthDate'),
  dateofbirth: of(PERSON, 'day', 'person.birthDate'),
  dob: of(PERSON, 'day', 'person.birthDate'),
  birthday: of(PERSON, 'day', 'person.birthDate'),
  nationality: of(PERSON, 'country', 'person.nationality'),
  email: of(PERSONAL, 'email', 'personalEmail.address'),
  emailaddress: of(PERSONAL, 'email', 'personalEmail.address'),
  mail: of(PERSONAL, 'email', 'personalEmail.address'),
  mobile: of(PERSONAL, 'text', 'mobilePhone.number'),
  mobilephone: of(PERSONAL, 'text', 'mobilePhone.number'),
  cellphone: of(PERSONAL, 'text', 'mobilePhone.number'),
  phone: of(PERSONAL, 'text', 'homePhone.number'),
  phonenumber: of(PERSONAL, 'text', 'homePhone.number'),
  telephone: of(PERSONAL, 'text', 'homePhone.number'),
};

const LOYALTIES: Readonly<Record<string, Known>> = {
  loyaltytier: of(LOYALTY, 'text', 'loyalty.tier'),
  loyaltypoints: of(LOYALTY, 'number', 'loyalty.points'),
  loyaltyprogram: of(LOYALTY, 'text', 'loyalty.program'),
};

/** Below `loyalty`. */
const WITHIN_LOYALTY: Readonly<Record<string, Known>> = {
  tier: of(LOYALTY, 'text', 'loyalty.tier'),
  points: of(LOYALTY, 'number', 'loyalty.points'),
  program: of(LOYALTY, 'text', 'loyalty.program'),
  status: of(LOYALTY, 'text', 'loyalty.status'),
};

/** Parts of an address, in `xdm/common/address`. */
const ADDRESS: Readonly<Record<string, readonly [Takes, string]>> = {
  street: ['text', 'street1'],
  street1: ['text', 'street1'],
  line1: ['text', 'street1'],
  addressline1: ['text', 'street1'],
  street2: ['text', 'street2'],
  line2: ['text', 'street2'],
  addressline2: ['text', 'street2'],
  city: ['text', 'city'],
  town: ['text', 'city'],
  zip: ['text', 'postalCode'],
  zipcode: ['text', 'postalCode'],
  postcode: ['text', 'postalCode'],
  postalcode: ['text', 'postalCode'],
  state: ['text', 'state'],
  region: ['text', 'region'],
  countrycode: ['country', 'countryCode'],
  country: ['text', 'country'],
};

/** What an address is called, with the object of Adobe's. */
const ADDRESSES: Readonly<Record<string, string>> = {
  address: 'homeAddress',
  homeaddress: 'homeAddress',
  shippingaddress: 'shippingAddress',
  shipping: 'shippingAddress',
  deliveryaddress: 'shippingAddress',
  billingaddress: 'billingAddress',
  billing: 'billingAddress',
  mailingaddress: 'mailingAddress',
};

/** Of an event, wherever it stands. */
const EVENTS: Readonly<Record<string, Known>> = {
  orderid: of(COMMERCE, 'text', 'commerce.order.purchaseID'),
  ordernumber: of(COMMERCE, 'text', 'commerce.order.purchaseID'),
  purchaseid: of(COMMERCE, 'text', 'commerce.order.purchaseID'),
  ordertotal: of(COMMERCE, 'number', 'commerce.order.priceTotal'),
  currency: of(COMMERCE, 'currency', 'commerce.order.currencyCode'),
  currencycode: of(COMMERCE, 'currency', 'commerce.order.currencyCode'),
  promotionid: of(COMMERCE, 'text', 'commerce.promotionID'),
  cartid: of(COMMERCE, 'text', 'commerce.cart.cartID'),
  pageurl: of(WEB, 'text', 'web.webPageDetails.URL'),
  url: of(WEB, 'text', 'web.webPageDetails.URL'),
  pagename: of(WEB, 'text', 'web.webPageDetails.name'),
  pagetitle: of(WEB, 'text', 'web.webPageDetails.name'),
  referrer: of(WEB, 'text', 'web.webReferrer.URL'),
  referer: of(WEB, 'text', 'web.webReferrer.URL'),
  useragent: of(ENVIRONMENT, 'text', 'environment.browserDetails.userAgent'),
  ip: of(ENVIRONMENT, 'ipv4', 'environment.ipV4'),
  ipaddress: of(ENVIRONMENT, 'ipv4', 'environment.ipV4'),
};

/** Below `order`. */
const WITHIN_ORDER: Readonly<Record<string, Known>> = {
  id: of(COMMERCE, 'text', 'commerce.order.purchaseID'),
  number: of(COMMERCE, 'text', 'commerce.order.purchaseID'),
  total: of(COMMERCE, 'number', 'commerce.order.priceTotal'),
  tax: of(COMMERCE, 'number', 'commerce.order.taxAmount'),
  discount: of(COMMERCE, 'number', 'commerce.order.discountAmount'),
};

/** Objects that only hold what belongs to the person or the record itself. */
const TRANSPARENT = new Set([
  '',
  'customer',
  'user',
  'person',
  'profile',
  'contact',
  'member',
  'name',
  'data',
]);

export function plainName(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, '');
}

/** Adobe's field for a field of the record, if its values fit there. */
export function knownField(
  steps: readonly string[],
  node: Node,
  decision: Decision,
  of: Class,
): Known | undefined {
  const found = byName(steps.map(plainName), of);
  return found !== undefined && fits(found.takes, node, decision) ? found : undefined;
}

function byName(steps: readonly string[], of: Class): Known | undefined {
  const name = steps.at(-1) ?? '';
  const parent = steps.at(-2) ?? '';
  const isNear = steps.slice(0, -1).every((step) => TRANSPARENT.has(step));
  const own = (table: Readonly<Record<string, Known>>) =>
    Object.hasOwn(table, name) ? table[name] : undefined;
  if (parent === 'name' && (name === 'first' || name === 'last')) return PERSONS[`${name}name`];
  if (Object.hasOwn(ADDRESSES, parent) && Object.hasOwn(ADDRESS, name))
    return addressPart(ADDRESSES[parent], name);
  if (of === 'profile') {
    if (parent === 'loyalty') return own(WITHIN_LOYALTY);
    if (!isNear) return undefined;
    if (Object.hasOwn(ADDRESS, name) && !/^(?:state|region|street|line)/.test(name))
      return addressPart('homeAddress', name);
    return own(PERSONS) ?? own(LOYALTIES);
  }
  if (parent === 'order' || parent === 'purchase') return own(WITHIN_ORDER) ?? own(EVENTS);
  return isNear ? (own(PERSONS) ?? own(EVENTS)) : undefined;
}

function addressPart(address = 'homeAddress', name = ''): Known | undefined {
  const part = ADDRESS[name];
  return part && of(PERSONAL, part[0], `${address}.${part[1]}`);
}

/** Whether every value that was seen is one that the field takes. */
function fits(takes: Takes, node: Node, decision: Decision): boolean {
  const kinds = kindsOf(node);
  const texts = kindCount(node, 'text');
  const all = (form: string) => kinds.length === 1 && texts > 0 && formCount(node, form) === texts;
  switch (takes) {
    case 'text':
      return decision.field.type === 'string' && decision.field.format === undefined ? true : isWhole(kinds);
    case 'email':
      return all('email');
    case 'country':
      return all('two capitals');
    case 'currency':
      return all('three capitals');
    case 'ipv4':
      return all('ipv4');
    case 'gender':
      return all('gender');
    case 'number':
      return kinds.length > 0 && kinds.every((kind) => kind === 'integer' || kind === 'number');
    case 'integer':
      return isWhole(kinds);
    case 'day':
      return decision.field.format === 'date';
    case 'time':
      return decision.field.format === 'date-time';
  }
}

function isWhole(kinds: readonly string[]): boolean {
  return kinds.length === 1 && kinds[0] === 'integer';
}

/** How a value gets into Adobe's field. */
export function decisionFor({ takes }: Known, decision: Decision): Decision {
  if (takes === 'gender')
    return {
      ...decision,
      expression: (path) => `lower(${path})`,
      convert: (value) => (typeof value === 'string' ? value.toLowerCase() : undefined),
    };
  if (takes === 'text' && decision.field.type === 'integer')
    return {
      ...decision,
      convert: (value) => (value === null || value === undefined ? undefined : String(value)),
    };
  return decision;
}
