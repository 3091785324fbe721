// Dataset Service: data usage labels of a dataset, written under an etag of their own (data-governance/labels/dataset-api).

import { type Answer, json } from '../answer.ts';
import { Refusal } from '../errors.ts';
import { type AdmittedCall, callHeader, jsonObjectBody } from '../http.ts';
import { arrayAt, isObject, type Json, type JsonObject } from '../json.ts';
import type { Route } from '../router.ts';
import type { DataSet, World } from '../state.ts';
import { existing } from './datasets.ts';

const PATH = '/data/foundation/dataset/datasets/:id/labels';

export function labelRoutes(world: World): Route<AdmittedCall>[] {
  return [
    ['GET', PATH, (call, id = '') => getLabels(world, call, id)],
    ['POST', PATH, (call, id = '') => addLabels(world, call, id)],
    ['PUT', PATH, (call, id = '') => putLabels(world, call, id)],
    ['DELETE', PATH, (call, id = '') => removeLabels(call, id)],
  ];
}

function getLabels(world: World, call: AdmittedCall, id: string): Answer {
  const { body, etag } = labelled(existing(call, id));
  const shown = { imsOrg: world.settings.organization, ...body };
  const flat = world.settings.quirks['dataset-labels'] === 'flat';
  return json(200, flat ? shown : { [`AEP:dataset:${id}`]: shown }, { etag });
}

/** Of a dataset without labels alone. */
function addLabels(world: World, call: AdmittedCall, id: string): Answer {
  const dataSet = existing(call, id);
  if (dataSet.labels !== undefined)
    throw Refusal.problem(403, 'Forbidden', 'The labels entity already exists. Use a PUT request instead.');
  if (arrayAt(jsonObjectBody(call), 'optionalLabels').length > 0) throw fieldsRefused();
  return written(world, call, dataSet, 201, 'POST Successful');
}

function putLabels(world: World, call: AdmittedCall, id: string): Answer {
  const dataSet = existing(call, id);
  matching(call, dataSet);
  const before = arrayAt(dataSet.labels?.body ?? {}, 'optionalLabels').map(fieldOf);
  const added = arrayAt(jsonObjectBody(call), 'optionalLabels')
    .map(fieldOf)
    .some(({ field, labels }) => {
      const had = before.find((one) => one.field === field)?.labels ?? [];
      return labels.some((label) => !had.includes(label));
    });
  if (added) throw fieldsRefused();
  return written(world, call, dataSet, 200, 'PUT Successful');
}

function removeLabels(call: AdmittedCall, id: string): Answer {
  const dataSet = existing(call, id);
  labelled(dataSet);
  matching(call, dataSet);
  const { labels: _, ...rest } = dataSet;
  call.sandbox.dataSets.put(id, rest);
  return json(200, {});
}

function written(
  world: World,
  call: AdmittedCall,
  dataSet: DataSet,
  status: number,
  message: string,
): Answer {
  const given = jsonObjectBody(call);
  const labels = arrayAt(given, 'labels');
  if (labels.some((one) => typeof one !== 'string'))
    throw Refusal.problem(400, 'BadRequestError', 'labels must be an array of strings.');
  const body: JsonObject = {
    labels,
    optionalLabels: arrayAt(given, 'optionalLabels').filter((one) => fieldOf(one).labels.length > 0),
    parents: arrayAt(given, 'parents'),
  };
  const etag = world.ids.uuid();
  call.sandbox.dataSets.put(dataSet.id, { ...dataSet, labels: { etag, body } });
  return json(status, { ...body, code: `PES-${status}`, message }, { etag });
}

function labelled({ id, labels }: DataSet): NonNullable<DataSet['labels']> {
  if (labels !== undefined) return labels;
  throw Refusal.problem(404, 'NotFoundError', `The labels entity of the dataset ${id} was not found.`);
}

/** Where there are labels, a write has to name their version. */
function matching(call: AdmittedCall, { labels }: DataSet): void {
  const wanted = callHeader(call, 'if-match')?.replace(/^(W\/)?"|"$/g, '');
  if (labels === undefined && wanted === undefined) return;
  if (wanted === undefined) throw Refusal.problem(400, 'BadRequestError', 'The header If-Match is required.');
  if (wanted !== labels?.etag)
    throw Refusal.problem(412, 'PreconditionFailedError', `If-Match '${wanted}' is not the current version.`);
}

function fieldOf(one: Json): { field: string; labels: Json[] } {
  if (!isObject(one)) throw Refusal.problem(400, 'BadRequestError', 'optionalLabels must hold objects.');
  return { field: JSON.stringify(one.option), labels: arrayAt(one, 'labels') };
}

function fieldsRefused(): Refusal {
  const detail = 'Labels of fields cannot be added or changed here, only taken away.';
  return Refusal.problem(400, 'BadRequestError', detail);
}
