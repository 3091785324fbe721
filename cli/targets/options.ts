// What a target is made from.

export interface TargetOptions {
  readonly stage: string | undefined;
  readonly region: string | undefined;
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether the command changes something. */
  readonly isChanging: boolean;
  readonly note: (text: string) => void;
}

/** What a command needs to ask the same target. */
export function targetWords({ stage, region }: Pick<TargetOptions, 'stage' | 'region'>): readonly string[] {
  return stage === undefined ? [] : ['--stage', stage, ...(region === undefined ? [] : ['--region', region])];
}
