/** `moduleTask`: a task function named by where it lives, instead of being carried to the worker. */

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
  /** Exists for the compiler only: the type of the function. */
  readonly [signature]?: F;
}

/**
 * Names a task function by its module, which each worker imports once. It works where a function's source cannot be used
 * or is not enough: functions with imports and module state, bundled and minified programs, strict content security
 * policies. ES modules and CommonJS modules both work, and TypeScript modules where the program itself runs under a
 * loader such as tsx, since workers inherit the program's `execArgv`.
 *
 * @typeParam F The function's type, which the compiler cannot see from a URL: give `typeof` the function, imported as a type.
 *   Without it the function takes any values, and gives `unknown`.
 * @param url The module: `new URL('./work.js', import.meta.url)`, a `file:` URL as a string, or an absolute path.
 * @param exportName The export that is the function; default `'default'`. Of a CommonJS module, a property of
 *   `module.exports`; `'default'` is `module.exports` itself.
 * @throws TypeError when `url` is relative or no URL, or `exportName` no name.
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

/** Whether `value` was made by {@link moduleTask}, of whichever copy of this package. */
export function isModuleTask(value: unknown): value is ModuleTask {
  return typeof value === 'object' && value !== null && (value as Partial<ModuleTask>)[brand] === true;
}

/** What makes two tasks the same, as long as what they capture is: they are loaded once, and share what is known of their pace. */
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
