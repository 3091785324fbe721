// Identity namespaces, as far as a pipeline asks for them (contract §2.7).

import { Refusal } from './errors.ts';
import { type AdmittedCall, json, jsonObjectBody } from './http.ts';
import { type JsonObject, textAt } from './json.ts';
import type { Route } from './router.ts';
import type { Sandbox, World } from './state.ts';

const BASE = '/data/core/idnamespace/identities';

const STANDARD: readonly JsonObject[] = (
  [
    [4, 'ECID', 'COOKIE'],
    [6, 'Email', 'Email'],
    [7, 'Phone', 'Phone'],
    [8, 'WAID', 'COOKIE'],
  ] as const
).map(([id, code, idType]) => ({
  id,
  code,
  name: code,
  idType,
  namespaceType: 'Standard',
  status: 'ACTIVE',
  custom: false,
}));

/** All namespaces of a sandbox; with `staleMs`, as they were that long ago. */
export function namespaces(sandbox: Sandbox, staleMs = 0): JsonObject[] {
  return [...STANDARD, ...sandbox.namespaces.values(staleMs)];
}

export function identityRoutes(world: World): Route<AdmittedCall>[] {
  const all = (call: AdmittedCall) => namespaces(call.sandbox, call.staleMs);
  return [
    ['GET', BASE, (call) => json(200, all(call))],
    [
      'POST',
      BASE,
      (call) => {
        const body = jsonObjectBody(call);
        const code = textAt(body, 'code');
        if (!code || !textAt(body, 'name') || !textAt(body, 'idType')) {
          throw Refusal.problem(400, 'BadRequestError', 'code, name and idType are required.');
        }
        if (all(call).some((each) => each.code === code)) {
          throw Refusal.problem(409, 'ConflictError', `A namespace with the code '${code}' exists already.`);
        }
        const id = 10_000_000 + call.sandbox.namespaces.size;
        const now = world.clock.now();
        const made = { ...body, id, status: 'ACTIVE', custom: true, createTime: now, updateTime: now };
        return json(200, call.sandbox.namespaces.put(code, made));
      },
    ],
  ];
}
