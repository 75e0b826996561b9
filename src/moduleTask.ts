/** `moduleTask`: a task function named by its module, instead of being sent to the worker. */

import { describeValue } from './internal/options/describeValue.js';

const brand: unique symbol = Symbol.for('rxjs-parallel-map.moduleTask') as never;

declare const signature: unique symbol;

/**
 * A function by its module and export name; made by {@link moduleTask}.
 *
 * @typeParam F The function's type.
 */
export interface ModuleTask<F = (...args: never[]) => unknown> {
  /** The module's absolute URL. */
  readonly url: string;
  /** The name of the export that is the function. */
  readonly exportName: string;
  /** @internal */
  readonly [brand]: true;
  /** The type of the function, for the compiler only. */
  readonly [signature]?: F;
}

/**
 * Names a task function by its module, which each worker imports once. Use it if a function cannot be sent to a worker, or should not
 * be: bundled programs, strict content security policies, module state that each worker should have for itself. The module can be
 * an ES module or CommonJS, or TypeScript if the program runs under a loader such as tsx, because workers inherit the program's
 * `execArgv`.
 *
 * @typeParam F The function's type, which the compiler cannot infer from a URL: pass `typeof` the function, imported as a type.
 *   Without it the function takes any values, and its result is `unknown`.
 * @param url The module: `new URL('./work.js', import.meta.url)`, a `file:` URL as a string, or an absolute path.
 * @param exportName The name of the export. Default: `'default'`. In a CommonJS module it is a property of `module.exports`, and
 *   `'default'` is `module.exports` itself.
 * @throws TypeError when `url` is relative or not a URL, or `exportName` is not a name.
 * @example
 * ```ts
 * import type { resize } from './images.js';
 *
 * files$.pipe(parallelMap(moduleTask<typeof resize>(new URL('./images.js', import.meta.url), 'resize')));
 * ```
 */
export function moduleTask<F = (...args: any[]) => unknown>(url: URL | string, exportName = 'default'): ModuleTask<F> {
  if (typeof exportName !== 'string' || exportName === '') {
    throw new TypeError(`moduleTask: "exportName" must be the name of an export, got ${describeValue(exportName)}.`);
  }
  return { [brand]: true, url: absolute(url), exportName };
}

/** Whether `value` was made by {@link moduleTask}, of any copy of this package. */
export function isModuleTask(value: unknown): value is ModuleTask {
  return typeof value === 'object' && value !== null && (value as Partial<ModuleTask>)[brand] === true;
}

/** Tasks with the same key that capture the same values are one task: loaded once, with one `Pace`. */
export function taskKey(fn: unknown): unknown {
  if (fn instanceof URL) return `${fn.href}#default`;
  return isModuleTask(fn) ? `${fn.url}#${fn.exportName}` : fn;
}

function absolute(url: unknown): string {
  if (url instanceof URL) return url.href;
  if (typeof url === 'string') {
    if (url.startsWith('/')) return fileUrl(url);
    if (/^[a-z]:[\\/]/i.test(url)) return fileUrl(`/${url.replaceAll('\\', '/')}`);
    if (/^[a-z][a-z0-9+.-]+:/i.test(url)) return new URL(url).href;
  }
  throw new TypeError(
    `moduleTask: "url" must be a URL or an absolute path, got ${describeValue(url)}. ` +
      `A worker cannot know what it is relative to: write new URL('./work.js', import.meta.url).`,
  );
}

function fileUrl(path: string): string {
  return new URL(
    `file://${path
      .split('/')
      .map(encodeURIComponent)
      .join('/')
      .replace(/^\/([a-z])%3A/i, '/$1:')}`,
  ).href;
}
