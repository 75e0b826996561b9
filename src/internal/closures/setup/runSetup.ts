/** In a worker: set-up runs, before the first task of a function. */

import { createHook, executionAsyncId } from 'node:async_hooks';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { compile } from '../compile.js';
import { pathOfFile } from '../filePath.js';
import { keepName, onceName, type SetupNode } from '../graph.js';
import { importModule } from '../importModule.js';

/** What has run in this worker, by file and place. */
const done = new Set<string>();

/** Imports what files import for its effects, in their order. What fails is skipped. */
export async function importBare(setups: readonly SetupNode[]): Promise<void> {
  for (const { file, bare } of setups) {
    for (const { specifier, isRequire } of bare) {
      try {
        if (isRequire) createRequire(pathOfFile(file))(specifier);
        else await importModule(file, specifier);
      } catch {
        // a function that can do without is not refused
      }
    }
  }
}

/** @returns The values of the variables that were wanted. */
export function runSetup(setup: SetupNode, values: readonly unknown[]): Readonly<Record<string, unknown>> {
  const { file, isModule, isStrict, line, code, names, parameters } = setup;
  const outer: Record<string, unknown> = {
    [onceName]: (at: number, run: () => void) => {
      const key = `${file} ${at}`;
      if (done.has(key)) return;
      done.add(key);
      try {
        run();
      } catch {
        // skipped
      }
    },
    [keepName]: (owners: readonly unknown[], run: () => void) => {
      const before = owners.flatMap(membersOf);
      try {
        run();
      } catch {
        // skipped
      }
      // The classes have been decorated where they come from: what is wanted is what was noted about them.
      for (const [owner, members] of before) {
        for (const [key, member] of members)
          if (member.configurable === true) Object.defineProperty(owner, key, member);
      }
    },
  };
  if (!isModule) {
    const place = pathOfFile(file);
    const require = createRequire(place);
    Object.assign(outer, {
      require,
      module: { exports: {} },
      exports: {},
      __filename: place,
      __dirname: path.dirname(place),
    });
  }
  parameters.forEach((name, i) => (outer[name] = values[i]));
  const before = isStrict ? "'use strict';" : '';
  const body = `${before}${code}\nreturn {${names.join()}}`;
  const run = compile(body, Object.keys(outer), { filename: file, line, column: -before.length });
  return watched(() => run(...Object.values(outer))) as Record<string, unknown>;
}

function membersOf(owner: unknown): [object, [string | symbol, PropertyDescriptor][]][] {
  if (typeof owner !== 'function') return [];
  const prototype: unknown = owner.prototype;
  const objects = [owner, ...(typeof prototype === 'object' && prototype !== null ? [prototype] : [])];
  return objects.map((object) => [
    object,
    Reflect.ownKeys(object).map((key) => [key, Object.getOwnPropertyDescriptor(object, key) as PropertyDescriptor]),
  ]);
}

/** Kinds of what keeps a process busy or in touch with others. */
const busy = /^(TCP|TLS|UDP|PIPE|TTY|PROCESS|FSEVENT|STAT|HTTP|WORKER|MESSAGEPORT|Timeout|Immediate)/i;

/** Runs something, and ends what it opens. */
function watched<T>(run: () => T): T {
  const opened: object[] = [];
  const here = executionAsyncId();
  const hook = createHook({
    init(_id, type, trigger, resource) {
      if (trigger >= here && busy.test(type)) opened.push(resource);
    },
  }).enable();
  try {
    return run();
  } finally {
    hook.disable();
    for (const each of opened) end(each);
  }
}

function end(resource: object): void {
  const { close, kill } = resource as { close?: () => void; kill?: (signal: number) => void };
  try {
    clearTimeout(resource as NodeJS.Timeout);
    clearImmediate(resource as NodeJS.Immediate);
    if (typeof kill === 'function') kill.call(resource, 9);
    if (typeof close === 'function') close.call(resource);
  } catch {
    // it was not open
  }
}
