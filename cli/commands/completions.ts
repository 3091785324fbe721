// `penstock completions`: what makes a shell offer the words of the command line.
import { MistakeError } from '../../terminal/mistake.ts';
import type { Command } from '../words.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** @param all of the table, which this is a part of */
export const completionsOf = (all: () => readonly Command[]): Command => ({
  name: 'completions',
  summary: 'prints what makes a shell complete the words of penstock',
  arguments: [{ name: 'SHELL', summary: SHELLS.join(', '), offers: SHELLS }],
  examples: [
    'source <(penstock completions bash)',
    'penstock completions zsh > "$' + '{fpath[1]}/_penstock"',
    'penstock completions fish > ~/.config/fish/completions/penstock.fish',
  ],
  async run({ output }, { arguments: [shell] }) {
    const { SCRIPTS } = await import('../completion-scripts.ts');
    const known = SHELLS.find((one) => one === shell);
    if (known === undefined)
      throw new MistakeError(
        'USAGE',
        `expected ${SHELLS.join(', ')}; found "${shell}"`,
        'penstock completions --help',
      );
    output.raw(SCRIPTS[known](all()));
    return 0;
  },
});
