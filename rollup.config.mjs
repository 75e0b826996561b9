// Makes dist of build/src, which `tsc -b` has emitted:
//   index.js, index.cjs      the package, as ES module and as CommonJS: what importing it loads
//   internal/*.cjs           the rest of it, for both: see below
//   index.d.ts, index.d.cts  its types, one file for each format, since a shared one would be read as ESM only
//   internal/start/**/*.cjs   what runs inside a worker. One self-contained CommonJS file for each kind of worker: a worker
//                            starts about 7 ms faster with it than with an ES module.
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { dts } from 'rollup-plugin-dts';

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

// --- the parts of the library

// The parts of the library. `index` is what importing it loads; each other part is loaded when one of its functions is called for the
// first time:
//   options     what a call is given, checked
//   core        jobs, pools, threads, and what the machine has
//   capture     a function with its variables, by the inspector and the parser
//   processes   the other start methods
//   worker      what runs in a worker, for those in the program's own thread
//   insights    what is measured of workers
//   progress    the progress bar
//
// A part has doors: modules whose functions the rest of the library may import. In src that is an import like any other. Here it becomes a
// function that loads the part and calls the one asked for; anything else than a function a door does not export, so that importing
// it fails the build. What only one part needs is in its file; what several need is in the file of the first of index, options and core
// that does, or else in that of core, so that there is one of everything.
//
// Values of variables are taken at the moment of a call, so a part has to load without a promise, in both formats: its file is CommonJS
// for both. To get the same modules as the part that loads it, its file exports a function of these modules and requires none of ours.
const doors = {
  options: ['options', 'internal/closures/checkTask'],
  core: [
    'internal/node/createScheduler',
    'internal/core/job/JobIterator',
    'internal/core/job/pull',
    'internal/core/job/typedArrays',
    'startMethods',
  ],
  capture: ['internal/closures/capture/capture'],
  processes: ['internal/start/spawn/spawn', 'internal/start/forkserver/forkserver', 'internal/start/fork/fork'],
  worker: ['runWorker', 'internal/start/inline/inline'],
  insights: ['internal/observe/Measurements', 'internal/observe/insightsTable'],
  progress: ['internal/observe/progress/ProgressReport', 'internal/observe/progress/remoteBars'],
};

const EARLY = 'index';
/** The parts that are loaded one after the other; the rest in any order, after these. */
const inOrder = [EARLY, 'options', 'core'];
const fileOf = (module) => resolve('build/src', `${module}.js`);
const partOf = new Map(Object.entries(doors).flatMap(([part, modules]) => modules.map((each) => [fileOf(each), part])));
const functionsOf = (file) =>
  [...readFileSync(file, 'utf8').matchAll(/^export (?:async )?function\*? (\w+)/gm)].map(([, name]) => name);

/**
 * At the top of `index`: `part(name)` gives what a part exports. Names have a `$` lest rollup chooses them, too; what `$own` gives is
 * put together below.
 */
const loaders = {
  cjs: `const $files = {
${Object.keys(doors)
  .map((name) => `  ${name}: () => require('./internal/${name}.cjs'),`)
  .join('\n')}
};
const $file = (name) => $files[name]();`,
  // Where a bundler has moved this code away from the files they are missing, as those of the workers are.
  es: `import { createRequire as $createRequire } from 'node:module';
const $file = (name) => {
  try {
    return $createRequire(import.meta.url)(\`./internal/\${name}.cjs\`);
  } catch (error) {
    const isMissing = import.meta.url === undefined || error.code === 'MODULE_NOT_FOUND';
    const advice = 'A bundler has left files of rxjs-parallel-map behind. Keep the package external to the bundle.';
    throw new WorkerStartError({ workerId: 0, cause: isMissing ? new Error(advice, { cause: error }) : error });
  }
};`,
};
const loader = `const $parts = {};
const part = (name) => ($parts[name] ??= name === '${EARLY}' ? $own() : $file(name)({}, part));`;

/** Around each other part. */
const before = `const own = require;
module.exports = (exports, part) => {
const require = (id) => (id.startsWith('.') ? part(id.slice(id.lastIndexOf('/') + 1, -'.cjs'.length)) : own(id));`;
const after = `return exports;
};`;

/** What rollup exports from a chunk, by name, and the lines that do so. */
const exportsIn = {
  es(code) {
    const [line, list] = /^export \{ (.*) \};$/m.exec(code);
    const names = list.split(', ').map((each) => each.split(' as '));
    return { lines: line, names: names.map(([local, name = local]) => [name, local]) };
  },
  cjs(code) {
    const [lines] = /^exports\.\w+ = .*;\n(?:exports\..*\n?)*/m.exec(code);
    return { lines, names: [...lines.matchAll(/^exports\.(\w+) = (.*);$/gm)].map(([, ...pair]) => pair) };
  },
};
const exporting = {
  es: (pairs) =>
    `export { ${pairs.map(([name, local]) => (name === local ? name : `${local} as ${name}`)).join(', ')} };`,
  cjs: (pairs) => pairs.map(([name, local]) => `exports.${name} = ${local};`).join('\n'),
};

/** Makes the parts: see above. */
const parts = {
  name: 'parts',
  buildStart() {
    for (const name of Object.keys(doors)) {
      this.emitFile({ type: 'chunk', id: `\0part:${name}`, name, preserveSignature: 'allow-extension' });
    }
  },
  resolveId(source, importer) {
    if (source.startsWith('\0')) return source;
    if (!source.startsWith('.') || importer.startsWith('\0')) return null;
    const file = resolve(importer, '..', source);
    return partOf.has(file) ? `\0door:${file}` : null;
  },
  load(id) {
    const [, kind, what] = /^\0(part|door):(.*)$/.exec(id) ?? [];
    if (kind === 'part') {
      const exports = doors[what]
        .map(fileOf)
        .map((file) => `export { ${functionsOf(file).join(', ')} } from '${file}';`);
      return exports.join('\n');
    }
    if (kind === 'door') {
      const functions = functionsOf(what).map(
        (name) => `export function ${name}(...args) { return part('${partOf.get(what)}').${name}(...args); }`,
      );
      return functions.join('\n');
    }
    return null;
  },
  // `index` has more exports than the package: what other parts need of it they get from `$own` instead.
  renderChunk(code, { name }, { format }) {
    if (name !== EARLY) return null;
    const { lines, names } = exportsIn[format](code);
    const own = `function $own() {\n  return { ${names.map(([each, local]) => `${each}: ${local}`).join(', ')} };\n}`;
    const shown = new Set(this.getModuleInfo(fileOf(EARLY)).exports);
    const kept = exporting[format](names.filter(([each]) => shown.has(each)));
    return { code: code.replace(lines, () => `${own}\n${kept}\n`), map: null }; // no line that is mapped has moved
  },
  generateBundle({ format }, bundle) {
    if (format === 'cjs') return;
    for (const name of Object.keys(doors)) {
      delete bundle[`internal/${name}.js`];
      delete bundle[`internal/${name}.js.map`];
    }
  },
};

/** The modules that one needs, with itself. */
function neededBy(root, getModuleInfo) {
  const found = new Set([root]);
  for (const id of found) {
    for (const other of getModuleInfo(id).importedIds) if (!getModuleInfo(other).isExternal) found.add(other);
  }
  return found;
}

/** Of the output of the library in a format, what concerns its parts. */
function partsOutput(format) {
  const extension = format === 'cjs' ? 'cjs' : 'js';
  const isLate = ({ name }) => format === 'cjs' && name !== EARLY;
  const file = ({ name }) => `${name === EARLY ? '' : 'internal/'}${name}.${extension}`;
  let needed;
  return {
    dir: 'dist',
    entryFileNames: file,
    chunkFileNames: file,
    minifyInternalExports: false,
    hoistTransitiveImports: false,
    manualChunks(id, { getModuleInfo }) {
      needed ??= new Map([
        [EARLY, neededBy(fileOf(EARLY), getModuleInfo)],
        ...Object.keys(doors).map((name) => [name, neededBy(`\0part:${name}`, getModuleInfo)]),
      ]);
      if (id.startsWith('\0door:')) return EARLY;
      const [name, another] = [...needed.keys()].filter((each) => needed.get(each).has(id));
      return inOrder.includes(name) || another === undefined ? name : 'core';
    },
    banner: (chunk) => (isLate(chunk) ? `'use strict';\n${before}` : ''),
    intro: ({ name }) => (name === EARLY ? `${loaders[format]}\n${loader}` : ''),
    footer: (chunk) => (isLate(chunk) ? after : ''),
  };
}

// --- what rollup makes

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
  'internal/start/spawn/preloaded',
  'internal/start/forkserver/server',
  'internal/start/forkserver/warmUpModule',
]
  .filter((entry) => existsSync(`build/src/${entry}.js`))
  .map((entry) => ({
    ...code,
    input: `build/src/${entry}.js`,
    external: external(installed),
    // Also into build/src, where unit tests of the pool start workers.
    output: ['dist', 'build/src'].flatMap((folder) => [
      output(`${folder}/${entry}.cjs`, 'cjs'),
      ...(entry === 'internal/start/forkserver/warmUpModule' ? [output(`${folder}/${entry}.mjs`, 'es')] : []),
    ]),
  }));

const types = ['dist/index.d.ts', 'dist/index.d.cts'].map((file) => ({
  input: 'build/src/index.d.ts',
  external: external([...installed, ...peers]),
  plugins: [dts({ tsconfig: 'tsconfig.json', sourcemap: true })],
  // For programs that compile without @types/node: `AsyncDisposable` is in the API.
  output: { file, format: 'es', sourcemap: true, banner: '/// <reference lib="esnext.disposable" />' },
}));

export default [library, ...runtimes, ...types];
