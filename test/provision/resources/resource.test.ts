// The one decision about a resource, and what it is taken from.
import { describe, expect, it } from 'vitest';
import { Failure } from '../../../lib/failure.ts';
import { type Manifest, parseManifest } from '../../../lib/manifest.ts';
import type { Pipeline } from '../../../lib/pipeline.ts';
import { ensure } from '../../../lib/provision/resources/ensure.ts';
import {
  type Context,
  type Decision,
  type Difference,
  decide,
  difference,
  differenceIfTold,
  EARLIER,
  type FixedResource,
  type Found,
  idOfMade,
  idsOf,
  ifThere,
  inFull,
  inTenant,
  isConsequence,
  isUntold,
  needsTenant,
  type Resource,
  required,
  type Situation,
  tagByPlan,
  tagOf,
} from '../../../lib/provision/resources/resource.ts';
import { resourcesOf } from '../../../lib/provision/resources/resources.ts';

const MINE = { pipeline: 'orders', execution: 'run-1' };
const THEIRS = { pipeline: 'clicks', execution: 'run-9' };
const differs = (remedy: Difference['remedy'], wanted = 'b'): Difference => ({
  field: 'title',
  found: 'a',
  wanted,
  remedy,
});
const one = (id: string, more: Partial<Found> = {}): Found => ({
  id,
  ownershipTag: MINE,
  differences: [],
  ...more,
});
const told = ({ action, reason, found, others }: Decision) => ({
  action,
  reason,
  found: found?.id,
  others: others.map(({ id }) => id),
});
const decided = (found: readonly Found[], more: { adopt?: boolean; hint?: string } = {}) =>
  told(decide(found, { pipeline: 'orders', adopt: more.adopt ?? false, hint: more.hint }));

describe('where there is none', () => {
  it('it is made', () => {
    const reason = 'not there yet';
    expect(decided([])).toEqual({ action: 'create', reason, found: undefined, others: [] });
    expect(decided([], { adopt: true, hint: 'x' }).action).toBe('create');
  });
});

describe('where ours is there', () => {
  it('and is what is wanted, it is kept, whatever else has the name', () => {
    const kept = { action: 'keep', reason: 'made by run-1', found: 'x', others: [] };
    expect(decided([one('x')])).toEqual(kept);
    expect(
      decided([one('t', { ownershipTag: THEIRS }), one('x'), one('n', { ownershipTag: undefined })]),
    ).toEqual(kept);
    expect(decided([one('x')], { adopt: true })).toEqual(kept);
  });

  it('and differs in what can be changed, it is changed in place', () => {
    expect(decided([one('x', { differences: [differs('update')] })])).toEqual({
      action: 'update',
      reason: 'made by run-1; what differs is changed in place',
      found: 'x',
      others: [],
    });
  });

  it('and differs in what cannot be changed, one is made beside it, and it is among those that go', () => {
    for (const differences of [[differs('replace')], [differs('update'), differs('replace')]])
      expect(decided([one('y'), one('x', { differences })].toReversed(), { hint: 'x' }).found).toBe('y');
    expect(decided([one('x', { differences: [differs('update'), differs('replace')] })])).toEqual({
      action: 'replace',
      reason: 'made by run-1; what differs is not changed in place',
      found: 'x',
      others: ['x'],
    });
  });

  it('and refers to what is made anew, the reason names that, and only what else differs beside it', () => {
    const anew = [
      differs('replace', 'one still to be made'),
      { ...differs('replace', 'one still to be made'), field: 'flow' },
    ];
    expect(decided([one('x', { differences: anew })]).reason).toBe(
      'made by run-1; refers to what is replaced: title, flow',
    );
    expect(decided([one('x', { differences: [...anew, differs('update')] })]).reason).toBe(
      'made by run-1; what differs is not changed in place; refers to what is replaced: title, flow',
    );
    expect(decided([one('x', { differences: [differs('update', 'one still to be made')] })]).reason).toBe(
      'made by run-1; refers to what is replaced: title',
    );
  });

  it('and differs in what nobody may change, it is left to the user, even where the rest could be changed', () => {
    for (const differences of [
      [differs('conflict')],
      [differs('update'), differs('conflict')],
      [differs('replace'), differs('conflict')],
    ])
      expect(decided([one('x', { differences })])).toEqual({
        action: 'conflict',
        reason:
          "x is this pipeline's, and what differs cannot be changed: undo the change in the manifest, or give the pipeline another name",
        found: 'x',
        others: [],
      });
  });

  it('the others of ours go, and are named', () => {
    const [x, y, z] = ['x', 'y', 'z'].map((id, at) => one(id, { createdAt: at + 1 })) as [
      Found,
      Found,
      Found,
    ];
    const surplus = 'made by run-1; not needed, and to be removed: y, z';
    expect(decided([z, x, y])).toEqual({ action: 'keep', reason: surplus, found: 'x', others: ['y', 'z'] });
    const changed = { differences: [differs('update')] };
    expect(decided([one('z', { ...changed, createdAt: 9 }), one('x', { ...changed, createdAt: 1 })])).toEqual(
      {
        action: 'update',
        reason: 'made by run-1; what differs is changed in place; not needed, and to be removed: z',
        found: 'x',
        others: ['z'],
      },
    );
    const anew = { differences: [differs('replace')] };
    expect(decided([one('z', { ...anew, createdAt: 9 }), one('x', { ...anew, createdAt: 1 })])).toEqual({
      action: 'replace',
      reason: 'made by run-1; what differs is not changed in place',
      found: 'x',
      others: ['x', 'z'],
    });
    // Nobody removes anything while something is left to the user.
    const open = { differences: [differs('conflict')] };
    expect(decided([one('x', open), one('y', { ...open, createdAt: 9 })]).others).toEqual(['y']);
  });
});

describe('of several of ours', () => {
  const first = (...found: Found[]) => [
    decided(found, { hint: 'known' }).found,
    decided(found.toReversed(), { hint: 'known' }).found,
  ];

  it('what can be used goes before what can be changed, and that before what cannot', () => {
    const usable = one('usable', { createdAt: 9 });
    const changeable = one('changeable', {
      differences: [differs('update'), differs('update')],
      createdAt: 5,
    });
    const known = one('known', { differences: [differs('update'), differs('replace')], createdAt: 1 });
    expect(first(known, changeable, usable)).toEqual(['usable', 'usable']);
    expect(first(known, changeable)).toEqual(['changeable', 'changeable']);
  });

  it('the known one goes before the unknown, the elder before the younger, then by id', () => {
    expect(first(one('elder', { createdAt: 1 }), one('known', { createdAt: 9 }))).toEqual(['known', 'known']);
    expect(first(one('a', { createdAt: 9 }), one('b', { createdAt: 1 }))).toEqual(['b', 'b']);
    expect(first(one('a', { createdAt: 3 }), one('b', { createdAt: 3 }))).toEqual(['a', 'a']);
    // What does not say when it was made is taken for the elder.
    expect(first(one('a', { createdAt: 1 }), one('b'))).toEqual(['b', 'b']);
    expect(first(one('a', { createdAt: 1 }), one('b', { createdAt: null }))).toEqual(['b', 'b']);
  });
});

describe('where the name is taken', () => {
  const foreign = (id: string, more: Partial<Found> = {}) => one(id, { ownershipTag: undefined, ...more });

  it('by another pipeline, it is left alone, even with adopt', () => {
    for (const adopt of [false, true])
      expect(decided([one('x', { ownershipTag: THEIRS }), foreign('y')], { adopt })).toEqual({
        action: 'conflict',
        reason:
          "the name is taken by x, y and it is pipeline clicks's; give this one another name, or retire that one",
        found: 'x',
        others: [],
      });
  });

  it('by one that was made by hand, it is taken over only with adopt, if it is the only one and what is wanted', () => {
    expect(decided([foreign('x')], { adopt: true })).toEqual({
      action: 'adopt',
      reason: 'made by hand, and as wanted',
      found: 'x',
      others: [],
    });
    const reason = (found: Found[], adopt: boolean) => {
      const decision = decided(found, { adopt });
      expect(decision).toMatchObject({ action: 'conflict', found: 'x', others: [] });
      return decision.reason;
    };
    expect(reason([foreign('x')], false)).toBe(
      'the name is taken by x and it has no ownership tag; "adopt": true in the manifest adopts what was made by hand',
    );
    expect(reason([foreign('x'), foreign('y')], true)).toBe(
      'the name is ambiguous: it is that of x, y. Rename or remove all but one',
    );
    const named = (id: string, name: string, state: string) => foreign(id, { name, state });
    expect(reason([named('x', 'orders', 'enabled'), named('y', 'try-out', 'draft')], true)).toBe(
      'several are made of the same parts, and a pipeline has one: x orders enabled, y try-out draft. Remove all but one; other names do not help',
    );
    expect(reason([foreign('x', { differences: [differs('update')] })], true)).toBe(
      'x was made by hand and cannot be adopted, because it differs: change the manifest to match, or choose another name',
    );
  });
});

describe('a difference', () => {
  it('is one where the two are not the same, or the wanted one is still to be made', () => {
    expect(difference('f', 'a', 'a', 'update')).toEqual([]);
    expect(difference('f', 'a', 'b', 'update')).toEqual([
      { field: 'f', found: 'a', wanted: 'b', remedy: 'update', untold: false },
    ]);
    expect(difference('f', 1, undefined, 'replace')).toEqual([
      { field: 'f', found: '1', wanted: 'one still to be made', remedy: 'replace', untold: false },
    ]);
    for (const nothing of [undefined, null]) {
      expect(difference('f', nothing, 2, 'conflict')).toEqual([
        { field: 'f', found: 'nothing', wanted: '2', remedy: 'conflict', untold: true },
      ]);
      expect(difference('f', nothing, undefined, 'update')).toMatchObject([
        { wanted: 'one still to be made' },
      ]);
    }
  });

  it('is none where AEP need not say, and does not', () => {
    for (const nothing of [undefined, null]) expect(differenceIfTold('f', nothing, 2, 'update')).toEqual([]);
    expect(differenceIfTold('f', 'a', 'a', 'update')).toEqual([]);
    expect(differenceIfTold('f', '', 'a', 'update')).toEqual(difference('f', '', 'a', 'update'));
  });

  it('is only a consequence, or not known to be one', () => {
    const [anew] = difference('f', 1, undefined, 'replace') as [Difference];
    const [known] = difference('f', 1, 2, 'replace') as [Difference];
    const [untold] = difference('f', undefined, 2, 'replace') as [Difference];
    const [both] = difference('f', undefined, undefined, 'replace') as [Difference];
    expect([anew, known, untold, both].map(isConsequence)).toEqual([true, false, false, true]);
    expect([anew, known, untold, both].map(isUntold)).toEqual([false, false, true, false]);
    expect(isUntold({ field: 'f', found: 'a', wanted: 'b', remedy: 'update' })).toBe(false);
  });

  it('is told in full behind the reason, up to 1,000 characters', () => {
    expect(inFull('because', [])).toBe('because');
    expect(inFull('because', [differs('update'), { field: 'g', found: 'c', wanted: 'd' }])).toBe(
      'because: title: found a, wanted b; g: found c, wanted d',
    );
    const long = inFull('because', [differs('update', 'x'.repeat(5_000))]);
    expect(long.length).toBeGreaterThan(900);
    expect(long.length).toBeLessThan(1_100);
  });
});

describe('what a situation tells', () => {
  const situation = {
    manifest: { name: 'orders', schema: { id: 's' } } as unknown as Manifest,
    execution: { name: 'run-1', startedAt: '2026-11-28T10:00:00Z' },
    plan: [
      { resource: 'schema', action: 'create' },
      { resource: 'dataset', action: 'replace' },
      { resource: 'mapping', action: 'keep' },
    ],
    resources: { schema: { id: 'S' } },
    old: [
      { resource: 'schema', id: 'S' },
      { resource: 'schema', id: 'T' },
      { resource: 'dataset', id: 'D' },
    ],
    tenant: undefined,
  } as unknown as Situation;

  it('our ownership tag, with notes where there are some', () => {
    const plain = tagOf(situation);
    expect(plain.pipeline).toBe('orders');
    expect(plain.execution).toContain('run-1');
    expect(plain).not.toHaveProperty('notes');
    const notes = { a: 'b' } as unknown as NonNullable<Parameters<typeof tagOf>[1]>;
    expect(tagOf(situation, notes)).toEqual({ ...plain, notes });
  });

  it('whose a resource without an ownership tag is: this execution’s where the plan makes it', () => {
    const mine = tagOf(situation).execution;
    const marks = (['schema', 'dataset', 'mapping', 'flow'] as const).map((key) => tagByPlan(situation, key));
    expect(marks.map(({ execution }) => execution)).toEqual([mine, mine, EARLIER, EARLIER]);
    expect(new Set(marks.map(({ pipeline }) => pipeline))).toEqual(new Set(['orders']));
    expect(EARLIER).toBe('an earlier execution');
  });

  it('ids: of the one in use, of all, each once, and a failure where one is needed', () => {
    expect(idOfMade(situation, 'schema')).toBe('S');
    expect(idOfMade(situation, 'dataset')).toBeUndefined();
    expect(idsOf(situation, 'schema')).toEqual(['S', 'T']);
    expect(idsOf(situation, 'dataset')).toEqual(['D']);
    expect(idsOf(situation, 'flow')).toEqual([]);
    expect(idsOf({ ...situation, old: [] }, 'schema')).toEqual(['S']);
    expect(required(situation, 'schema')).toBe('S');
    expect(() => required(situation, 'dataset')).toThrow(
      expect.objectContaining({
        code: 'EVENT_INVALID',
        what: 'the document holds no dataset',
        next: 'Start the state machine from its beginning; what was made is found again.',
      }),
    );
  });

  it('the tenant’s namespace, where it is known', () => {
    expect(inTenant('{tenant}.a.{tenant}', { tenant: 'acme' })).toBe('_acme.a._acme');
    expect(inTenant('{tenant}.a', { tenant: undefined })).toBe('{tenant}.a');
  });

  it('that it needs the tenant, where a path names it or a field group is its own', () => {
    const needs = (manifest: object) => needsTenant(manifest as Manifest);
    expect(needs({ schema: { id: 's' } })).toBe(false);
    expect(needs({ schema: { id: 's' }, mapping: [{ destination: '{tenant}.a' }] })).toBe(true);
    expect(needs({ schema: { id: 's' }, mapping: [{ destination: 'a' }] })).toBe(false);
    const groups = (fieldGroups: unknown[], more = {}) =>
      needs({ schema: { class: 'profile', fieldGroups, ...more } });
    expect(groups(['work-details'])).toBe(false);
    expect(groups([])).toBe(false);
    expect(groups(['work-details', { name: 'own', fields: {} }])).toBe(true);
    expect(groups([], { identities: [{ path: '{tenant}.a' }] })).toBe(true);
  });
});

describe('what is asked for by its id', () => {
  it('is nothing where it is not there, and every other failure stays one', async () => {
    expect(await ifThere(Promise.resolve(1))).toBe(1);
    expect(await ifThere(Promise.reject(new Failure('AEP_NOT_FOUND', 'gone')))).toBeUndefined();
    const refused = new Failure('AEP_FORBIDDEN', 'no');
    await expect(ifThere(Promise.reject(refused))).rejects.toBe(refused);
    const defect = Object.assign(new Error('x'), { code: 'AEP_NOT_FOUND' });
    await expect(ifThere(Promise.reject(defect))).rejects.toBe(defect);
  });
});

describe('13 B 4: a resource has what its kind needs', () => {
  const manifest = parseManifest({
    version: 1,
    name: 'orders',
    sandbox: 'dev',
    source: { kind: 'inlet', stream: 'orders', data: 'raw' },
    schema: { class: 'profile', fieldGroups: [{ name: 'own', fields: { total: { type: 'number' } } }] },
    mapping: [{ source: 'total', destination: '{tenant}.total' }],
  });
  const all = resourcesOf({ manifest, hints: {}, mode: 'apply' });
  const retired = resourcesOf({ manifest, hints: {}, mode: 'retire' });
  const any = ['key', 'needed', 'find', 'create'];
  const MUST: Record<Resource['kind'], string[]> = {
    changeable: [...any, 'get', 'remove', 'update', 'adopt'],
    fixed: [...any, 'of', 'get', 'remove'],
    entries: [...any, 'of', 'update', 'impossible', 'remove'],
    switch: [...any, 'of', 'irreversible'],
  };
  const MAY: Partial<typeof MUST> = {
    changeable: ['of', 'unique', 'given', 'impossible', 'keepBecause'],
    fixed: ['adopt'],
  };

  it.each([...all, ...retired].map((resource) => [resource.key, resource] as const))(
    '%s, and nothing else',
    (_, { kind, ...resource }) => {
      const members = Object.keys(resource);
      expect(members).toEqual(expect.arrayContaining(MUST[kind]));
      expect([...MUST[kind], ...(MAY[kind] ?? [])]).toEqual(expect.arrayContaining(members));
    },
  );

  it('each kind occurs', () => {
    expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(Object.keys(MUST)));
  });

  it('one that is never changed is not said to be updated', async () => {
    const found: Found = { ...one('x'), differences: [differs('update')] };
    const resource: FixedResource = {
      kind: 'fixed',
      key: 'source-connection',
      of: 'base-connection',
      needed: () => true,
      find: async () => [found],
      get: async () => found,
      create: async () => ({ id: 'y' }),
      remove: async () => undefined,
    };
    const execution = { id: 'run-2', name: 'run-2', startedAt: '2026-01-01T00:00:00Z' };
    const rest = { hints: {}, plan: [], resources: {}, old: [] };
    const pipeline = { manifest, execution, ...rest } as unknown as Pipeline;
    const context = { runtime: { clock: { now: () => 0 } } } as unknown as Context;
    await expect(ensure(resource, pipeline, context)).rejects.toThrow('source-connection');
  });
});
