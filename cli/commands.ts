// The table of words: every command there is. Help, completions and docs/cli.md come from it.
import { apply } from './commands/apply.ts';
import { check } from './commands/check.ts';
import { completionsOf } from './commands/completions.ts';
import { consoleCommand } from './commands/console.ts';
import { dev } from './commands/dev.ts';
import { doctor } from './commands/doctor.ts';
import { drift } from './commands/drift.ts';
import { importCommand } from './commands/import.ts';
import { init } from './commands/init.ts';
import { logs } from './commands/logs.ts';
import { plan } from './commands/plan.ts';
import { reconcile } from './commands/reconcile.ts';
import { redrive } from './commands/redrive.ts';
import { retire } from './commands/retire.ts';
import { simulate } from './commands/simulate.ts';
import { status } from './commands/status.ts';
import { tap } from './commands/tap.ts';
import { where } from './commands/where.ts';
import type { Command } from './words.ts';

/** In the order in which help lists them. */
export const COMMANDS: readonly Command[] = [
  init,
  check,
  plan,
  apply,
  status,
  doctor,
  where,
  redrive,
  reconcile,
  drift,
  importCommand,
  retire,
  tap,
  logs,
  consoleCommand,
  dev,
  simulate,
  completionsOf(() => COMMANDS),
];
