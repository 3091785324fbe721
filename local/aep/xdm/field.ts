// A field as the platform's resolved schemas show it.

import type { Json } from '../json.ts';

export interface Field {
  type?: 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array';
  title?: string;
  description?: string;
  format?: string;
  enum?: string[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  const?: Json;
  properties?: Fields;
  required?: string[];
  items?: Field;
  /** A map has a field here: any key, values of one kind. */
  additionalProperties?: Field | boolean;
  'meta:xdmType'?: string;
  'meta:enum'?: { [value: string]: string };
}

export type Fields = { [name: string]: Field };

/** What a value has to be beside its type, its fields and its items. */
export const FACETS = [
  'format',
  'enum',
  'const',
  'pattern',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
] as const;
