// Deploy hooks: a call of the function's URL, or an event on the bus, starts the state machine.
// events/deploy-hook.json
import { hookRuntime } from '../lib/aws/runtimes/hook.ts';
import { createHook } from '../lib/hook/hook.ts';

export const handler = createHook(hookRuntime);
