// Identity namespaces: those Adobe brings and those of the sandbox (contract §2.7; Identity Service's OpenAPI file).

import { json } from './answer.ts';
import { Refusal } from './errors.ts';
import { type AdmittedCall, jsonObjectBody } from './http.ts';
import { type JsonObject, textAt } from './json.ts';
import type { Route } from './router.ts';
import type { Sandbox, World } from './state.ts';

const BASE = '/data/core/idnamespace/identities';

/**
 * What a namespace can be, as Adobe's OpenAPI file spells it in a list. Creating takes any case: the file has `Cookie` there, its
 * error and aepp have `COOKIE`. The kinds of B2B namespaces are aepp's.
 */
const ID_TYPES = [
  'COOKIE',
  'CROSS_DEVICE',
  'Device',
  'Email',
  'MOBILE',
  'Non_people',
  'Phone',
  'B2B_ACCOUNT',
  'B2B_ACCOUNT_PERSON',
  'B2B_CAMPAIGN',
  'B2B_CAMPAIGN_MEMBER',
  'B2B_MARKETING_LIST',
  'B2B_MARKETING_LIST_MEMBER',
  'B2B_OPPORTUNITY',
  'B2B_OPPORTUNITY_PERSON',
];

/** In Adobe's spelling, whatever case it is given in. */
export function idTypeOf(given: string): string | undefined {
  return ID_TYPES.find((kind) => kind.toUpperCase() === given.toUpperCase());
}

/** Adobe's sample of the list: when namespaces came into being there. */
const BROUGHT_AT = 1_572_918_753_626;

const STANDARD: readonly JsonObject[] = (
  [
    [4, 'ECID', 'COOKIE'],
    [6, 'Email', 'Email'],
    [7, 'Phone', 'Phone'],
    [8, 'WAID', 'COOKIE'],
  ] as const
).map(([id, code, idType]) => ({
  updateTime: BROUGHT_AT,
  code,
  status: 'ACTIVE',
  description: code,
  id,
  createTime: BROUGHT_AT,
  idType,
  name: code,
  namespaceType: 'Standard',
  custom: false,
}));

/** All namespaces of a sandbox; with `staleMs`, as they were that long ago. */
export function namespaces(sandbox: Sandbox, staleMs = 0): JsonObject[] {
  return [...STANDARD, ...sandbox.namespaces.values(staleMs)];
}

export function identityRoutes(world: World): Route<AdmittedCall>[] {
  return [
    ['GET', BASE, (call) => json(200, namespaces(call.sandbox, call.staleMs))],
    ['POST', BASE, (call) => json(200, create(world, call))],
  ];
}

/** Answers with the kind as it was spelled by the caller; a list has Adobe's spelling. */
function create(world: World, call: AdmittedCall): JsonObject {
  const body = jsonObjectBody(call);
  const { code, idType } = demanded(world, body);
  if (namespaces(call.sandbox).some((each) => each.code === code)) {
    const description = 'Namespace code already exists. Please use a different code';
    throw problem(world, 409, 'NAMESPACE_CODE_CONFLICT', description, 'INTEGRATION_CODE_EXISTS');
  }
  const id = 10_000_000 + call.sandbox.namespaces.size;
  const now = world.clock.now();
  const made = {
    ...body,
    code,
    idType,
    id,
    status: 'ACTIVE',
    custom: true,
    createTime: now,
    updateTime: now,
  };
  call.sandbox.namespaces.put(code, made);
  return { ...made, idType: body.idType ?? null };
}

function demanded(world: World, body: JsonObject): { code: string; idType: string } {
  const code = textAt(body, 'code');
  const given = textAt(body, 'idType');
  if (!code || !textAt(body, 'name') || !given) {
    throw problem(world, 400, 'Namespace validation', 'code, name and idType are required.');
  }
  const idType = idTypeOf(given);
  if (idType) return { code, idType };
  const valid = ID_TYPES.map((kind) => kind.toUpperCase()).join(', ');
  const description = `Please provide a valid value of idType. Valid values are: [${valid}]`;
  throw problem(world, 400, 'Namespace validation', description);
}

/** The service's own error body, as in its OpenAPI file. */
function problem(
  world: World,
  status: number,
  title: string,
  description: string,
  code = 'INVALID_REQUEST_PARAMS',
): Refusal {
  return new Refusal(status, {
    timestamp: new Date(world.clock.now()).toISOString(),
    type: 'http://ns.adobe.com/adobecloud/problem/namespacevalidation',
    status,
    title,
    description,
    report: { code },
  });
}
