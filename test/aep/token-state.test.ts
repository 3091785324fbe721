// The states of the token, change by change, without IMS and without a clock.
import { describe, expect, it } from 'vitest';
import { Session } from '../../lib/aep/session.ts';
import {
  NO_SESSION,
  type SessionState,
  sessionMove,
  whenIssued,
  whenNotIssued,
  whenNotTaken,
  whenTaken,
  withoutNew,
} from '../../lib/aep/token-state.ts';

const LIFE = 1_000_000;
const [ONE, TWO, THREE] = ['1', '2', '3'].map((name) => new Session(`fake-${name}`, 'c', 'o')) as [
  Session,
  Session,
  Session,
];
const DOWN = new Error('IMS is down');

const fresh = whenIssued(NO_SESSION, ONE, LIFE, 0);
const taken = whenTaken(fresh, ONE);
const rejectedOnce = whenNotTaken(fresh, ONE, 10);
const rejectedTwice = whenNotTaken(whenIssued(rejectedOnce, TWO, LIFE, 20), TWO, 30);
const names = ({ token, ims }: SessionState) => `${token.state}, ${ims.state}`;

describe('issue 13 B 4: the states of the token', () => {
  it.each<[string, SessionState, string]>([
    ['nothing has happened', NO_SESSION, 'none, open'],
    ['IMS has issued one', fresh, 'fresh, open'],
    ['a service has taken it', taken, 'taken, open'],
    ['a service has not taken it', rejectedOnce, 'none, open'],
    ['two new ones in a row were not taken', rejectedTwice, 'none, paused'],
    ['one that had been taken is not taken any more', whenNotTaken(taken, ONE, 10), 'none, open'],
    ['an older one was not taken', whenNotTaken(taken, TWO, 10), 'taken, open'],
    ['IMS issues none at first', whenNotIssued(NO_SESSION, DOWN, 5, 0), 'none, paused'],
    ['IMS issues none for a renewal', whenNotIssued(taken, DOWN, 5, 0), 'taken, paused'],
    ['IMS issues one again', whenIssued(rejectedTwice, THREE, LIFE, 40), 'fresh, open'],
  ])('after this: %s', (_, state, expected) => {
    expect(names(state)).toBe(expected);
  });

  it('a token that was taken, even an older one, ends the row of those that were not', () => {
    for (const session of [ONE, TWO]) {
      const second = whenTaken(whenIssued(rejectedOnce, TWO, LIFE, 20), session);
      expect(names(whenNotTaken(second, TWO, 30))).toBe('none, open');
    }
  });

  it('one that was not taken long after it was issued is no word on the credential', () => {
    const late = whenNotTaken(whenIssued(rejectedOnce, TWO, LIFE, 20), TWO, 20 + 30_000);
    expect(late).toEqual(NO_SESSION);
  });

  it('a change leaves the state that was as it was', () => {
    const before = names(fresh);
    whenTaken(fresh, ONE);
    whenNotTaken(fresh, ONE, 1);
    whenNotIssued(fresh, DOWN, 5, 1);
    expect(names(fresh)).toBe(before);
    expect(fresh.token).toMatchObject({ stillborn: 0 });
  });
});

describe('issue 13 B 4: what is done for who needs a session', () => {
  const paused = whenNotIssued(taken, DOWN, 5_000, LIFE - 50_000);
  it.each<[string, SessionState, number, object]>([
    ['there is none', NO_SESSION, 0, { kind: 'ask' }],
    ['there is one in force', fresh, LIFE - 100_001, { kind: 'use', session: ONE }],
    ['it is to be renewed', taken, LIFE - 100_000, { kind: 'ask' }],
    ['it cannot be renewed now', paused, LIFE - 50_000, { kind: 'use', session: ONE }],
    ['it can be asked again', paused, LIFE - 45_000, { kind: 'ask' }],
    ['the clock was set back', paused, LIFE - 60_000, { kind: 'ask' }],
    [
      'it is expired, and IMS left alone',
      whenNotIssued(taken, DOWN, 5_000, LIFE),
      LIFE,
      { kind: 'fail', error: DOWN },
    ],
    ['two were not taken', rejectedTwice, 31, { kind: 'fail', error: { code: 'AEP_UNAUTHORIZED' } }],
  ])('where %s', (_, state, now, expected) => {
    expect(sessionMove(state, now)).toMatchObject(expected);
  });

  it('where no new one can be had, the old one until it expires', () => {
    expect(withoutNew(taken.token, DOWN, LIFE - 1)).toEqual({ kind: 'use', session: ONE });
    expect(withoutNew(taken.token, DOWN, LIFE)).toEqual({ kind: 'fail', error: DOWN });
    expect(withoutNew(NO_SESSION.token, DOWN, 0)).toEqual({ kind: 'fail', error: DOWN });
  });
});
