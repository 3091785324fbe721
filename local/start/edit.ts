// What the page may save where it was started with `--edit`: the manifests that were named, each once the check is content.
import type { Manifest } from '../../lib/manifest.ts';
import { builtIn, type Standard } from '../aep/xdm/standard.ts';
import { openManifestFiles } from '../page/manifest-files.ts';
import type { Edit } from '../page/watched.ts';

/**
 * @param named of two files of one pipeline the later counts: it is what that becomes
 * @throws the error of the file system where a file is not there any more
 */
export async function editOf(
  named: readonly { readonly file: string; readonly manifest: Manifest }[],
  xdm: Standard = builtIn,
): Promise<Edit> {
  // Loaded only where it is asked for: few do.
  const { checkText } = await import('../check/check-files.ts');
  return {
    files: await openManifestFiles(named.map(({ file, manifest }) => ({ file, name: manifest.name }))),
    check: async (file, text) => (await checkText(file, text, xdm)).mistakes,
  };
}
