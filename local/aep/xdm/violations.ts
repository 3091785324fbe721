// Puts what ajv finds into the words of the platform's streaming validation (contract §6.3). Those are the words of
// github.com/everit-org/json-schema. Words that no page of Adobe's shows come from there too.

import type { ErrorObject } from 'ajv';
import { ExactNumber } from '../exact-number.ts';
import type { Violation } from '../state.ts';

/** The validator stops here, per message. */
export const MAX_VIOLATIONS = 5;

const TYPES: Record<string, string> = {
  string: 'String',
  integer: 'Integer',
  number: 'Number',
  boolean: 'Boolean',
  object: 'JSONObject',
  array: 'JSONArray',
};

/** As an answer shows it. */
export function shownViolation({ missing: _, ...violation }: Violation): Omit<Violation, 'missing'> {
  return violation;
}

export function violations(errors: readonly ErrorObject[]): Violation[] {
  return errors.slice(0, MAX_VIOLATIONS).map((error) => ({
    keyword: error.keyword,
    ...(error.keyword === 'required' && { missing: String(error.params.missingProperty) }),
    message: message(error),
    pointerToViolation: `#${error.instancePath}`,
    schemaLocation: error.schemaPath.replace(/\/[^/]+$/, '') || '#',
  }));
}

function message(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>;
  const found = error.data;
  switch (error.keyword) {
    case 'additionalProperties':
      return `extraneous key [${params.additionalProperty}] is not permitted`;
    case 'required':
      return `required key [${params.missingProperty}] not found`;
    case 'type':
      return `expected type: ${TYPES[String(params.type)] ?? params.type}, found: ${typeName(found)}`;
    case 'enum':
      return `${found} is not a valid enum value`;
    case 'pattern':
      return params.late
        ? `string [${found}] takes too long to match with pattern ${params.pattern}`
        : `string [${found}] does not match pattern ${params.pattern}`;
    case 'format':
      return formatMessage(String(params.format), found);
    case 'minimum':
      return `${found} is not greater or equal to ${params.limit}`;
    case 'maximum':
      return `${found} is not less or equal to ${params.limit}`;
    case 'exclusiveMinimum':
      return `${found} is not greater than ${params.limit}`;
    case 'exclusiveMaximum':
      return `is not less than ${params.limit}`;
    case 'minLength':
      return `expected minLength: ${params.limit}, actual: ${String(found).length}`;
    case 'maxLength':
      return `expected maxLength: ${params.limit}, actual: ${String(found).length}`;
    case 'minItems':
      return `expected minimum item count: ${params.limit}, found: ${Array.isArray(found) ? found.length : 0}`;
    case 'maxItems':
      return `expected maximum item count: ${params.limit}, found: ${Array.isArray(found) ? found.length : 0}`;
    case 'uniqueItems':
      return 'array items are not unique';
    case 'minProperties':
      return `minimum size: [${params.limit}], found: [${Object.keys(found as object).length}]`;
    case 'maxProperties':
      return `maximum size: [${params.limit}], found: [${Object.keys(found as object).length}]`;
    // A violation that says only its keyword.
    case 'const':
      return '';
    default:
      return error.message ?? error.keyword;
  }
}

function formatMessage(format: string, found: unknown): string {
  if (format === 'date') return `[${found}] is not a valid date. Expected [yyyy-MM-dd]`;
  if (format === 'date-time') {
    return `[${found}] is not a valid date-time. Expected [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,9}Z]`;
  }
  if (format === 'email') return `[${found}] is not a valid email address`;
  if (format === 'ipv4' || format === 'ipv6') return `[${found}] is not a valid ${format} address`;
  return `[${found}] is not a valid ${format}`;
}

function typeName(value: unknown): string {
  if (value === null) return 'Null';
  if (Array.isArray(value)) return 'JSONArray';
  if (value instanceof ExactNumber) return typeName(Number(value));
  if (typeof value === 'number') return Number.isInteger(value) ? 'Integer' : 'Double';
  if (typeof value === 'object') return 'JSONObject';
  return typeof value === 'string' ? 'String' : 'Boolean';
}

/** Codes of failed batches as community lists give them (contract §3.4; not from Adobe). */
export function errorCode(found: readonly Violation[]): string {
  switch (found[0]?.keyword) {
    case 'required':
      return 'DCVS-1111-400';
    case 'enum':
      return 'DCVS-1106-400';
    case 'format':
    case 'pattern':
      return 'DCVS-1105-400';
    default:
      return 'DCVS-1104-400';
  }
}
