/** The path of the file that a function is in. */

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @param file A `file:` URL, a path, or what Node calls code in no file, as `[stdin]`: that is in the working directory. */
export function pathOfFile(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : resolve(file);
}
