// The client's contract tests: the steps that are made to a real sandbox as well, against the simulated platform. What they rely on has to hold.
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as client from '../../lib/aep/index.ts';
import { type RunningServer, startServer } from '../../local/aep/server.ts';
import { quirks } from '../support/quirks.ts';
import { CREDENTIALS } from '../support/scripted.ts';
import { ASSUMPTIONS, AT_THE_INLET } from './assumptions.ts';
import { holdings } from './holdings.ts';
import { simulatedTarget } from './run.ts';
import { observe, type Result } from './suite.ts';

let running: RunningServer;
let result: Result;

beforeAll(async () => {
  running = await startServer({ port: 0, seed: 2, quirks });
  result = await observe(simulatedTarget(running), { pauseMs: 0, longestWaitMs: 0 });
});

afterAll(() => running.close());

test.each([...AT_THE_INLET, ...ASSUMPTIONS].map(({ name }) => name))('12 C 3: %s', (name) => {
  const { outcome, facts } = result.steps.get(name) ?? {};
  expect(outcome).toBe('ok');
  expect([...(facts ?? [])].filter(([, isSo]) => !isSo)).toEqual([]);
  expect(facts?.size).toBeGreaterThan(0);
});

test('12 C 3: nothing that the run has made is left', () => {
  expect(result.left).toEqual([]);
  expect(holdings(running.platform).flat()).toEqual([]);
});

/** What of the client no step calls by itself, and why. */
const NOT_ASKED: Readonly<Record<string, string>> = {
  request: 'every other function is made of it',
  sessions: 'the token of every call',
  transport: 'what the client is given',
  createAep: 'the client itself',
  createSessions: 'the token of every call',
  isFailure: 'asks nobody',
  Failure: 'asks nobody',
};

test('12 C 3: every function of lib/aep is asked in the contract run, but for what has a reason', () => {
  const services = client.createAep({ sandbox: 'dev1', credentials: CREDENTIALS });
  const ofServices = Object.entries(services)
    .filter(([service]) => !(service in NOT_ASKED))
    .flatMap(([service, functions]) => Object.keys(functions).map((name) => `${service}.${name}`));
  const others = Object.entries(client)
    .filter(([name, value]) => typeof value === 'function' && !(name in NOT_ASKED))
    .map(([name]) => `inlet.${name}`);
  expect([...ofServices, ...others].filter((name) => !result.called.has(name))).toEqual([]);
  const all = new Set([...Object.keys(services), ...Object.keys(client)]);
  expect(Object.keys(NOT_ASKED).filter((name) => !all.has(name))).toEqual([]);
});
