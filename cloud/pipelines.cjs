// Says before packaging which pipelines deploy hooks can start, and refuses a hookStarts that names none of
// them.
const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

const ADVICE =
  'Put a manifest into pipelines/ (examples/ has samples), then npm run build, and deploy again.';

/**
 * The message about the pipelines of the bundle: `refused` if hooks could start nothing of what hookStarts
 * names.
 */
function about(names, starts, manifests) {
  if (starts !== 'all' && !names.includes(starts))
    return {
      refused: `hookStarts: the bundle has no pipeline ${starts}; it has ${names.join(', ') || 'none'}. ${ADVICE}`,
    };
  if (names.length > 0) return { said: `Deploy hooks can start these pipelines: ${names.join(', ')}.` };
  const but = manifests === 'yes' ? ' but a manifest that it brings along' : '';
  return { said: `The bundle has no pipelines: a deploy hook can start nothing${but}. ${ADVICE}` };
}

module.exports = class Pipelines {
  constructor(serverless, _options, { log }) {
    const tell = () => {
      const file = join(serverless.serviceDir, 'dist/pipelines.json');
      // Without a build, packaging itself reports that there is nothing to pack.
      if (!existsSync(file)) return;
      const names = JSON.parse(readFileSync(file, 'utf8'));
      const { environment } = serverless.service.functions.deployHook;
      const { said, refused } = about(
        names,
        environment.PENSTOCK_HOOK_STARTS,
        environment.PENSTOCK_HOOK_MANIFESTS,
      );
      if (refused !== undefined) throw new serverless.classes.Error(refused, 'PENSTOCK_PIPELINES');
      log.notice(said);
    };
    this.hooks = { 'before:package:cleanup': tell };
  }
};
module.exports.about = about;
