// A Python environment of its own for tools and clients that are written in Python.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Made once for each list of versions. Needs Python 3.11 or newer, with pip.
 * @param folder of the environment
 * @param requirements the file with the list
 * @param options of pip, besides
 */
export function makePythonEnvironment(folder: string, requirements: string, ...options: string[]): void {
  const installed = join(folder, 'requirements.txt');
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === wanted) return;
  console.log(`installing ${requirements} into ${folder} …`);
  mkdirSync(folder, { recursive: true });
  execFileSync('python3', ['-m', 'venv', '--clear', folder], { stdio: 'inherit' });
  // What is imported is compiled then, and that is a small part of it.
  const pip = ['install', '--quiet', '--disable-pip-version-check', '--no-compile', ...options];
  execFileSync(join(folder, 'bin/pip'), [...pip, '--requirement', requirements], { stdio: 'inherit' });
  writeFileSync(installed, wanted);
}
