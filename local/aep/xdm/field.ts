// A field as the platform's resolved schemas show it.

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
  properties?: Fields;
  required?: string[];
  items?: Field;
  /** A map has a field here: any key, values of one kind. */
  additionalProperties?: Field | boolean;
  'meta:xdmType'?: string;
  'meta:enum'?: { [value: string]: string };
}

export type Fields = { [name: string]: Field };
