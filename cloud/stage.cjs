// The stage, refused in words of ours where the framework would refuse it: once, before any plugin is loaded.
const { stageMistake } = require('./parameters.cjs');

/** Of osls, lib/utils/validate-stage.js. A longer one, or one that begins with a digit, is told with all else that is wrong. */
const FRAMEWORK = /^[A-Za-z0-9-]+$/;

module.exports = async ({ resolveVariable }) => {
  const stage = await resolveVariable("opt:stage, 'dev'");
  if (FRAMEWORK.test(stage)) return stage;
  const refused = new Error(`\n\n${stageMistake(stage)}. Nothing was done.`);
  // The framework prints the stack, which is of no use to who has misspelt a word.
  refused.stack = refused.message;
  throw refused;
};
