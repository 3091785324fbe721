// Which files of a folder are manifests.

/** How the name of a file ends that lies beside a manifest. */
export const BESIDE = /\.(samples|records)\.json$/;

/** @returns whether a file of the folder is a manifest, by its name */
export function isManifestName(name: string): boolean {
  return name.endsWith('.json') && !BESIDE.test(name);
}
