// Trouble that everybody meets sooner or later, ready to be switched on.
import type { FaultSpec } from '../aep/fault-kinds.ts';

export interface Scenario {
  readonly name: string;
  /** What happens, and what to look for. */
  readonly says: string;
  readonly faults: readonly FaultSpec[];
}

/** Every call to an inlet, of any pipeline. */
export const INLETS = '/collection/**';
/** Where tokens are given. */
export const TOKENS = '/ims/**';

export const SCENARIOS: readonly Scenario[] = [
  {
    name: '429 storm',
    says: 'Every second request is refused, until you end it. Records arrive more slowly, and none is lost.',
    faults: [{ kind: 'refuse', path: INLETS, status: 429, retryAfter: 1, probability: 0.5 }],
  },
  {
    name: 'Token revoked',
    says: 'The next request finds every token taken back. A new one is fetched, and nothing else happens.',
    faults: [{ kind: 'expireTokens', times: 1 }],
  },
  {
    name: 'Half the answers lost',
    says: 'The inlet takes every request, and half of its answers never come. Records are sent again: some rows are there twice.',
    faults: [{ kind: 'dropAfter', path: INLETS, probability: 0.5 }],
  },
  {
    name: 'Inlet moved',
    says: 'The inlet answers 404, until you end it. Records wait in the stream, and none is rejected.',
    faults: [{ kind: 'refuse', path: INLETS, status: 404 }],
  },
  {
    name: 'IMS down',
    says: 'Nobody gets a new token. Who has one goes on until it expires: move the clock by a day.',
    faults: [{ kind: 'refuse', path: TOKENS, status: 503 }],
  },
];
