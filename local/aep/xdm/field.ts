// A field as the platform's resolved schemas show it, and short words to write one down.

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
}

export type Fields = { [name: string]: Field };

export const text = (limits: Partial<Field> = {}): Field => ({
  type: 'string',
  'meta:xdmType': 'string',
  ...limits,
});
export const oneOf = (...values: string[]): Field => text({ enum: values });
export const matching = (pattern: string): Field => text({ pattern });
export const flag: Field = { type: 'boolean', 'meta:xdmType': 'boolean' };
export const whole = (limits: Partial<Field> = {}): Field => ({
  type: 'integer',
  'meta:xdmType': 'int',
  ...limits,
});
export const decimal: Field = { type: 'number', 'meta:xdmType': 'number' };
export const day: Field = { type: 'string', format: 'date', 'meta:xdmType': 'date' };
export const moment: Field = { type: 'string', format: 'date-time', 'meta:xdmType': 'date-time' };
export const list = (items: Field): Field => ({ type: 'array', 'meta:xdmType': 'array', items });
export const mapOf = (value: Field): Field => ({
  type: 'object',
  'meta:xdmType': 'map',
  additionalProperties: value,
});

export function group(properties: Fields, required: string[] = []): Field {
  const field: Field = { type: 'object', 'meta:xdmType': 'object', properties };
  return required.length > 0 ? { ...field, required } : field;
}
