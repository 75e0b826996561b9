/** Where the code of the workers lies, beside this file: in the sources as in the built package. */

/**
 * The URL of a worker's entry.
 *
 * Computed when it is needed: in a program that a bundler has put into one CommonJS file there is no `import.meta.url`, and
 * only a program that starts workers should hear of it.
 */
export function runtimeUrl(entry: 'threading/thread' | 'spawn/process' | 'spawn/preloaded' | 'forkserver/server'): URL {
  return new URL(`./start/${entry}.cjs`, import.meta.url);
}
