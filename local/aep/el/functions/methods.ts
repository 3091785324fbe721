// Methods of values, as in `name.equalsIgnoreCase("x")`: the language lets Java's strings through.

import { asNumber, asText, inside, same, type Value } from '../values.ts';

type Method = (self: NonNullable<Value>, inputs: readonly Value[]) => Value;

const text =
  (call: (self: string, first: string, inputs: readonly Value[]) => Value): Method =>
  (self, inputs) =>
    call(asText(self), asText(inputs[0] ?? null), inputs);

export const METHODS: { readonly [name: string]: Method } = {
  equals: (self, [other]) => same(self, other ?? null),
  equalsIgnoreCase: text((self, other) => self.toLowerCase() === other.toLowerCase()),
  contains: (self, [part]) =>
    Array.isArray(self)
      ? self.some((each) => same(each, part ?? null))
      : asText(self).includes(asText(part ?? null)),
  startsWith: text((self, part) => self.startsWith(part)),
  endsWith: text((self, part) => self.endsWith(part)),
  indexOf: text((self, part) => self.indexOf(part)),
  isEmpty: (self) => (Array.isArray(self) ? self.length === 0 : asText(self).length === 0),
  length: text((self) => self.length),
  size: (self) => (Array.isArray(self) ? self.length : asText(self).length),
  toLowerCase: text((self) => self.toLowerCase()),
  toUpperCase: text((self) => self.toUpperCase()),
  trim: text((self) => self.trim()),
  substring: text((self, _first, [from, to]) =>
    self.slice(asNumber(from ?? 0), to === undefined ? undefined : asNumber(to)),
  ),
  replace: text((self, find, [, replacement]) => self.replaceAll(find, () => asText(replacement ?? null))),
  get: (self, [key]) => inside(self, asText(key ?? null)),
  toString: text((self) => self),
};
