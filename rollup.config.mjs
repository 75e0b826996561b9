// Makes dist of build/src, which `tsc -b` has emitted:
//   index.js, index.cjs      the package, as ES module and as CommonJS: what importing it loads
//   internal/*.cjs           the rest of it, for both: see rollup.parts.mjs
//   index.d.ts, index.d.cts  its types, one file for each format, since a shared one would be read as ESM only
//   internal/start/**/*.cjs   what runs inside a worker. One self-contained CommonJS file for each kind of worker: a worker
//                            starts about 7 ms faster with it than with an ES module.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dts } from 'rollup-plugin-dts';
import { parts, partsOutput } from './rollup.parts.mjs';

const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(
  await readFile(new URL('package.json', import.meta.url), 'utf8'),
);
const installed = Object.keys({ ...dependencies, ...optionalDependencies });
const peers = Object.keys(peerDependencies);

/** Tells rollup to leave imports of Node's own modules and of these packages as they are. */
const external = (packages) => (id) =>
  id.startsWith('node:') || packages.some((name) => id === name || id.startsWith(`${name}/`));

/** Hands tsc's source maps on, so that those in dist lead to src. */
const tscSourceMaps = {
  name: 'tsc-source-maps',
  async load(id) {
    return { code: await readFile(id, 'utf8'), map: await readFile(`${id}.map`, 'utf8') };
  },
};

/** In CommonJS, `import.meta.url` by Node's means; rollup's own text also looks for a `document`, and finds jsdom's. */
const commonJsImportMeta = {
  name: 'commonjs-import-meta',
  resolveImportMeta: (property, { format }) =>
    format === 'cjs' && property === 'url' ? `require('node:url').pathToFileURL(__filename).href` : null,
};

const common = (format) => ({
  format,
  exports: 'named',
  generatedCode: 'es2015',
  sourcemap: true,
  // The package ships src.
  sourcemapExcludeSources: true,
});

const output = (file, format) => ({ ...common(format), file, inlineDynamicImports: true });

const code = {
  // A worker does not load a module of Node of which nothing is left in its bundle.
  treeshake: { moduleSideEffects: 'no-external' },
  plugins: [tscSourceMaps, commonJsImportMeta],
  // An import that is neither ours nor external would be missing where the package is installed.
  onLog(level, log, handle) {
    // The helpers that tsc writes for `await using`.
    if (log.code === 'THIS_IS_UNDEFINED') return;
    handle(level === 'warn' ? 'error' : level, log);
  },
};

const library = {
  ...code,
  input: 'build/src/index.js',
  preserveEntrySignatures: 'allow-extension',
  external: external([...installed, ...peers]),
  plugins: [parts, ...code.plugins],
  output: ['es', 'cjs'].map((format) => ({ ...common(format), ...partsOutput(format) })),
};

const runtimes = [
  'internal/start/threading/thread',
  'internal/start/spawn/process',
  'internal/start/forkserver/server',
  'internal/start/forkserver/rehearsed',
]
  .filter((entry) => existsSync(`build/src/${entry}.js`))
  .map((entry) => ({
    ...code,
    input: `build/src/${entry}.js`,
    external: external(installed),
    // Also into build/src, where unit tests of the pool start workers.
    output: ['dist', 'build/src'].flatMap((folder) => [
      output(`${folder}/${entry}.cjs`, 'cjs'),
      ...(entry === 'internal/start/forkserver/rehearsed' ? [output(`${folder}/${entry}.mjs`, 'es')] : []),
    ]),
  }));

const types = ['dist/index.d.ts', 'dist/index.d.cts'].map((file) => ({
  input: 'build/src/index.d.ts',
  external: external([...installed, ...peers]),
  plugins: [dts({ tsconfig: 'tsconfig.json', sourcemap: true })],
  // For whoever compiles without @types/node: `AsyncDisposable` is in the API.
  output: { file, format: 'es', sourcemap: true, banner: '/// <reference lib="esnext.disposable" />' },
}));

export default [library, ...runtimes, ...types];
