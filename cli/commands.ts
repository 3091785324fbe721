// The table of words: every command there is. Help, completions and docs/cli.md come from it.
import { check } from './commands/check.ts';
import type { Command } from './words.ts';

/** In the order in which help lists them. */
export const COMMANDS: readonly Command[] = [check];
