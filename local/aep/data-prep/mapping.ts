// Compiles a mapping set once into a function from a raw row to an XDM record (contract §5).

import { compileExpression } from '../el/compile.ts';
import { pathSteps, readPath, type Write, writePath } from '../el/paths.ts';
import { ExpressionError } from '../el/tokens.ts';
import type { Evaluate, Surroundings, Value } from '../el/values.ts';
import { arrayAt, isObject, type Json, type JsonObject, textAt } from '../json.ts';
import { fieldAt } from '../registry/resolve.ts';
import type { Field } from '../xdm/field.ts';
import { type Coerce, coercion } from './coerce.ts';

/** Longest calculated field (contract §5.2). */
const MAX_EXPRESSION = 4096;

export interface Mapping {
  readonly source: string;
  readonly sourceType: 'ATTRIBUTE' | 'EXPRESSION' | 'STATIC';
  readonly destination: string;
  readonly name: string | undefined;
}

/** A transformation that failed: the column is null, the row goes on. */
export interface Warning {
  readonly mapping: Mapping;
  readonly reason: string;
}

export interface MappedRow {
  readonly record: JsonObject;
  readonly warnings: readonly Warning[];
}

export type MapRow = (row: JsonObject) => MappedRow;

interface Column {
  readonly mapping: Mapping;
  readonly steps: readonly string[];
  readonly evaluate: Evaluate;
  readonly coerce: Coerce;
  readonly write: Write;
}

/** The rows of a set in its current or its legacy form, or what is wrong with one. */
export function mappingsOf(set: JsonObject): (Mapping | string)[] {
  return arrayAt(set, 'mappings').map(mappingOf);
}

function mappingOf(row: Json): Mapping | string {
  const source = textAt(row, 'source') ?? textAt(row, 'sourceAttribute');
  const destination = textAt(row, 'destination') ?? textAt(row, 'destinationXdmPath');
  if (!isObject(row) || !source) return 'source is required';
  if (!destination) return 'destination is required';
  const sourceType = typeOf(textAt(row, 'sourceType'), source);
  if (!sourceType) return `sourceType '${row.sourceType}' is none of ATTRIBUTE, EXPRESSION, STATIC`;
  return { source, sourceType, destination, name: textAt(row, 'name') };
}

/** The legacy form has no type: what looks like a call is an expression. */
function typeOf(given: string | undefined, source: string): Mapping['sourceType'] | undefined {
  if (given === undefined) return /["'(]/.test(source) ? 'EXPRESSION' : 'ATTRIBUTE';
  const name = given.toUpperCase();
  if (name === 'ATTRIBUTE' || name === 'EXPRESSION' || name === 'STATIC') return name;
  if (given === 'text/x.schema-path') return 'ATTRIBUTE';
  return given === 'text/x.aep-xl' ? 'EXPRESSION' : undefined;
}

/** One entry per mapping: null, or why it would be refused. */
export function faultsOf(set: JsonObject, schema: Field | undefined): (string | null)[] {
  return mappingsOf(set).map((mapping) => {
    if (typeof mapping === 'string') return mapping;
    try {
      compileColumn(mapping, schema);
      return null;
    } catch (error) {
      if (error instanceof ExpressionError) return error.message;
      throw error;
    }
  });
}

/** Throws an ExpressionError when a mapping cannot work at all. */
export function compileMapping(set: JsonObject, schema: Field | undefined, around: Surroundings): MapRow {
  const columns = mappingsOf(set).map((mapping) => {
    if (typeof mapping === 'string') throw new ExpressionError(mapping);
    return compileColumn(mapping, schema);
  });
  // Whole objects first, so that a mapping of one of their fields overwrites it.
  columns.sort((a, b) => a.steps.length - b.steps.length);
  return (row) => {
    const record: JsonObject = {};
    let warnings: Warning[] | undefined;
    for (const column of columns) {
      try {
        const value = column.coerce(finite(column.evaluate(row, around)));
        if (value !== null) column.write(record, value);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        warnings ??= [];
        warnings.push({ mapping: column.mapping, reason });
      }
    }
    return { record, warnings: warnings ?? NONE };
  };
}

const NONE: readonly Warning[] = [];

/** JSON cannot write a number that is beyond every double: it would become null. */
function finite(value: Value): Value {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new ExpressionError('the number is too large');
  return value;
}

function compileColumn(mapping: Mapping, schema: Field | undefined): Column {
  const steps = pathSteps(mapping.destination);
  const field = schema ? fieldAt(schema, steps) : undefined;
  if (schema && !field)
    throw new ExpressionError(`the destination '${mapping.destination}' is not in the schema`);
  return {
    mapping,
    steps,
    evaluate: compileSource(mapping),
    coerce: coercion(field),
    write: writePath(steps),
  };
}

function compileSource({ source, sourceType }: Mapping): Evaluate {
  if (sourceType === 'ATTRIBUTE') return readPath(pathSteps(source));
  if (sourceType === 'STATIC') {
    const value = /^(["'])(.*)\1$/s.exec(source)?.[2] ?? source;
    return () => value;
  }
  if (source.length > MAX_EXPRESSION) {
    throw new ExpressionError(
      `the calculated field has ${source.length} characters; ${MAX_EXPRESSION} are allowed`,
    );
  }
  return compileExpression(source);
}
