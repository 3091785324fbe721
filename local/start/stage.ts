// The stage of this machine.

/** The stage that is deployed where none is named, so that a command of the documents names the same thing here. */
export const STAGE = 'dev';
