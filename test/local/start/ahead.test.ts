// Which functions are started ahead of the state machine, and when.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Definition, functionsOnWay, startAhead } from '../../../local/start/ahead.ts';

const DEFINITION = JSON.parse(
  readFileSync(new URL('../../../functions/provision/states.asl.json', import.meta.url), 'utf8'),
) as Definition;

function watched(way: readonly string[]) {
  const prepared: string[] = [];
  const prepare = (name: string) => void prepared.push(name);
  return { prepared, ahead: startAhead(way, { prepare }) };
}

describe('the usual way through the state machine', () => {
  it('has the functions of an execution that makes a pipeline, in their order', () => {
    const all = 'begin plan schema baseConnection mapping identity dataset identityDataset sourceConnection';
    const rest = 'targetConnection flow verify publish trigger report';
    expect(functionsOnWay(DEFINITION)).toEqual(`${all} ${rest}`.split(' '));
  });

  it('ends where it comes to a state for the second time', () => {
    const States = { a: { Type: 'Pass', Next: 'b' }, b: { Type: 'Choice', Default: 'a' } };
    expect(functionsOnWay({ StartAt: 'a', States })).toEqual([]);
  });
});

describe('ahead of the state machine', () => {
  it('the next function is started while one is called, and no other', () => {
    const { prepared, ahead } = watched(['plan', 'schema', 'flow']);
    ahead.called('plan');
    expect(prepared).toEqual(['schema']);
    ahead.called('schema');
    expect(prepared).toEqual(['schema', 'flow']);
    ahead.called('flow');
    expect(prepared).toEqual(['schema', 'flow']);
  });

  it('all that are left are started in a wait', () => {
    const { prepared, ahead } = watched(['flow', 'verify', 'publish', 'forward']);
    ahead.called('flow');
    ahead.waiting();
    expect(prepared).toEqual(['verify', 'verify', 'publish', 'forward']);
  });

  it('a function off the way, or called again, starts none', () => {
    const { prepared, ahead } = watched(['plan', 'schema', 'flow']);
    ahead.called('rollback');
    ahead.called('schema');
    ahead.called('plan');
    ahead.called('schema');
    expect(prepared).toEqual(['flow']);
  });
});
