// Trying a mapping out: validate it, or see what it makes of sample data (contract §5.2).

import { type Answer, json } from '../answer.ts';
import { compileExpression } from '../el/compile.ts';
import { FUNCTIONS } from '../el/functions/index.ts';
import { OPERATOR_LIST } from '../el/operators.ts';
import { ExpressionError } from '../el/tokens.ts';
import type { Surroundings } from '../el/values.ts';
import { Refusal } from '../errors.ts';
import { type AdmittedCall, jsonObjectBody, recordsBody } from '../http.ts';
import { isObject, type Json, type JsonObject, objectAt, textAt } from '../json.ts';
import type { World } from '../state.ts';
import { compileMapping, faultsOf, type MappedRow, mappingsOf } from './mapping.ts';
import { schemaOf } from './mapping-sets.ts';

/** One entry per mapping, in order. */
export function validateMappingSet(call: AdmittedCall): Answer {
  const set = jsonObjectBody(call);
  const mappings = mappingsOf(set);
  const validationResponse = faultsOf(set, schemaOf(call.sandbox, set)).map((fault, index): JsonObject => {
    if (fault === null) return { status: 'SUCCESS', errors: null };
    const mapping = mappings[index];
    const names =
      mapping && typeof mapping !== 'string'
        ? { source: mapping.source, destination: mapping.destination }
        : {};
    return { status: 'FAILED', errors: [{ code: 'DPMAP-1003-400', ...names, message: fault }] };
  });
  return json(200, { validationResponse });
}

/** `data` is a list of rows, or one row as aepp sends it. */
export function preview(world: World, call: AdmittedCall): Answer {
  const body = recordsBody(call);
  const set = objectAt(body, 'mappingSet');
  if (!set) throw Refusal.problem(400, 'BadRequestError', 'mappingSet is required.');
  const rows = Array.isArray(body.data) ? body.data : [body.data ?? null];
  const map = compiled(world, call, set);
  return json(
    200,
    rows.map((row) => shown(isObject(row) ? map(row) : { record: {}, warnings: [] })),
  );
}

function compiled(world: World, call: AdmittedCall, set: JsonObject) {
  try {
    return compileMapping(set, schemaOf(call.sandbox, set), surroundings(world));
  } catch (error) {
    if (error instanceof ExpressionError) throw Refusal.dataPrep('DPMAP-1003-400', error.message);
    throw error;
  }
}

function shown({ record, warnings }: MappedRow): Json {
  const errors = warnings.map(({ mapping, reason }) => ({
    source: mapping.source,
    destination: mapping.destination,
    sourceType: mapping.sourceType,
    columnName: mapping.name ?? mapping.destination,
    exception: reason,
  }));
  return { data: record, errors: errors.length > 0 ? errors : null };
}

export function surroundings(world: World): Surroundings {
  const { organization } = world.settings;
  return { now: () => world.clock.now(), uuid: () => world.ids.uuid(), organization };
}

/** Answers `true` or `false`, nothing else. */
export function validateExpression(call: AdmittedCall): Answer {
  const expression = textAt(jsonObjectBody(call), 'expression');
  if (expression === undefined) throw Refusal.problem(400, 'BadRequestError', 'expression is required.');
  try {
    compileExpression(expression);
    return json(200, true);
  } catch (error) {
    if (error instanceof ExpressionError) return json(200, false);
    throw error;
  }
}

export function listFunctions(): Answer {
  return json(
    200,
    [...FUNCTIONS.values()].map(({ name, category, syntax }) => ({
      category,
      function: name,
      syntax,
      since: 1,
    })),
  );
}

export function listOperators(): Answer {
  return json(
    200,
    OPERATOR_LIST.map(([operatorSymbol, methodName, numberOfOperands, description, example]) => ({
      operatorSymbol,
      methodName,
      numberOfOperands,
      description,
      example,
    })),
  );
}
