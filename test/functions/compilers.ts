/** Babel and swc, as programs use them. */

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export type ModuleFormat = 'cjs' | 'esm';

interface Compiler {
  transform(text: string, options: object): { readonly code: string };
  transformSync(text: string, options: object): { readonly code: string };
}

/** @param targets What it is to run on, as in a browserslist. */
export function babel(text: string, format: ModuleFormat, targets: string): string {
  const { transform } = require('@babel/standalone') as Compiler;
  return transform(text, {
    filename: 'program.ts',
    sourceType: 'module',
    presets: [['env', { targets, modules: format === 'cjs' ? 'commonjs' : false }], 'typescript'],
  }).code;
}

/** @param target The version of the language. */
export function swc(text: string, format: ModuleFormat, target: string, minify = false): string {
  const { transformSync } = require('@swc/wasm') as Compiler;
  return transformSync(text, {
    filename: 'program.ts',
    minify,
    jsc: {
      target,
      parser: { syntax: 'typescript' },
      ...(minify ? { keepClassNames: true, minify: { compress: true, mangle: { keep_classnames: true } } } : {}),
    },
    module: { type: format === 'cjs' ? 'commonjs' : 'es6' },
  }).code;
}
