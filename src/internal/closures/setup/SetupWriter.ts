/** The set-up of the files whose functions travel, as a part of the graph: see `rules.ts` for what it is. */

import { isBuiltin } from 'node:module';
import type { Scope } from '../capture/facts.js';
import type { Import } from '../capture/imports.js';
import { isThing } from '../capture/isThing.js';
import type { OpenGraph } from '../capture/openGraph.js';
import type { WrittenFunction } from '../capture/scripts.js';
import { keepName, onceName, type BareImport, type GraphNode, type SetupNode } from '../graph.js';
import type { Slot } from '../parts.js';
import { RefusedSetup, type SetupPlan, type TopVariable } from './SetupPlan.js';
import { sliceOf, type Slice } from './slice.js';
import { statementsOf, type FileStatements, type Statement } from './statements.js';

/** A file of which something travels. */
interface File {
  readonly written: WrittenFunction;
  /** The variables at its top, as far as functions see them. */
  readonly variables: Record<string, unknown>;
  readonly text: string;
  readonly statements: FileStatements;
}

const nothing: FileStatements = { statements: [], declarations: new Map(), assignedLater: new Set() };
const MOST_REMEMBERED = 1000;
const remembered = new Map<string, FileStatements>();

export class SetupWriter {
  readonly #graph: OpenGraph;
  readonly #plan: SetupPlan;
  readonly #files = new Map<string, File>();

  constructor(graph: OpenGraph, plan: SetupPlan) {
    this.#graph = graph;
    this.#plan = plan;
  }

  /** A function travels that is written in a file. */
  meet(written: WrittenFunction, scope: Scope | undefined): void {
    const { script } = written;
    if (this.#graph.inspector === undefined || !isOwnFile(script.url)) return;
    const known = this.#files.get(script.id);
    if (known !== undefined) {
      if (scope !== undefined) this.#learn(known, scope);
      return;
    }
    const { text } = this.#graph.inspector.sourceOf(script);
    const file = { written, variables: {}, text, statements: statementsIn(script.id, text, script.isModule) };
    this.#files.set(script.id, file);
    if (scope !== undefined) this.#learn(file, scope);
  }

  /** What several functions see of a file may differ: V8 shows those variables that they use. */
  #learn({ variables, written, statements }: File, { object }: Scope): void {
    const { script } = written;
    const values = this.#plan.valuesOf(script.id);
    for (const name of Object.keys(object)) {
      if (name in variables || !statements.declarations.has(name)) continue;
      variables[name] = object[name];
      if (values.has(name)) this.#graph.offerImports([[object[name], valueNode(script.url, name)]]);
    }
  }

  /** The node of a variable whose value its declaration makes; `undefined` for others. */
  nodeOf({ script }: WrittenFunction, name: string): GraphNode | undefined {
    return this.#plan.valuesOf(script.id).has(name) ? valueNode(script.url, name) : undefined;
  }

  /** The variable whose value a thing is. */
  variableOf(value: unknown): TopVariable | undefined {
    for (const [scriptId, { variables, written }] of this.#files) {
      for (const [name, each] of Object.entries(variables)) {
        if (each === value && !written.scriptShape.imports.has(name)) return { scriptId, name };
      }
    }
    return undefined;
  }

  /**
   * The set-up of all files, in the order in which they were met.
   *
   * @param nodes What travels.
   * @param send Sends the value of a variable that a statement needs.
   */
  write(
    nodes: readonly GraphNode[],
    send: (value: unknown, variable: TopVariable, place: string) => Slot,
  ): SetupNode[] {
    const used = usedBy(nodes);
    return [...this.#files].flatMap(([scriptId, file]) => {
      const { written, variables, statements, text } = file;
      const { script, scriptShape } = written;
      const { imports } = scriptShape;
      const values = this.#plan.valuesOf(scriptId);
      const slice = sliceOf(statements, {
        values,
        missing: this.#plan.missingIn(scriptId),
        isImport: (name) => imports.has(name),
        isUsedImport: (name) => {
          const imported = imports.get(name);
          return (
            imported !== undefined &&
            (used.ownFiles || specifiersIn(imported).some((each) => used.packages.has(packageOf(each))))
          );
        },
        hasValue: (name) => Object.hasOwn(variables, name) && variables[name] !== undefined,
        travels: (name) => isThing(variables[name]) && this.#graph.numberOf(variables[name]) !== undefined,
      });
      const placeOf = ({ start, end, excluded }: Statement): string =>
        `${excluded === undefined ? '' : `${excluded} in `}${describe(file, start, text.slice(start, end))}`;
      const [refused] = slice.refused;
      if (refused !== undefined) {
        const because = refused.because === undefined ? undefined : placeOf(refused.because);
        throw new RefusedSetup(
          { scriptId, name: values.has(refused.name) ? refused.name : ([...values][0] as string) },
          because,
        );
      }
      const bare = statements.statements.flatMap(({ bare: specifier }): BareImport[] =>
        specifier === undefined || !isPackage(specifier) ? [] : [{ specifier, isRequire: !script.isModule }],
      );
      if (bare.length === 0 && slice.statements.length === 0) return [];
      const bindings: [string, Slot][] = [];
      for (const name of slice.imports) {
        const node = nodeOfImport(script.url, imports.get(name) as Import);
        bindings.push([name, this.#graph.node(JSON.stringify(node), () => node)]);
      }
      for (const name of slice.sent)
        bindings.push([
          name,
          send(variables[name], { scriptId, name }, placeOf(statements.declarations.get(name) as Statement)),
        ]);
      const setup: SetupNode = {
        type: 'setup',
        file: script.url,
        isModule: script.isModule,
        isStrict: scriptShape.isStrict,
        line: script.startLine,
        bare,
        code: codeOf(
          text,
          slice,
          (name) => imports.has(name),
          (name) => slice.sent.has(name),
        ),
        names: [...values],
        parameters: bindings.map(([name]) => name),
        bindings: bindings.map(([, slot]) => slot),
        skipped: slice.skipped.map(placeOf),
      };
      return [setup];
    });
  }
}

function valueNode(file: string, name: string): GraphNode {
  return { type: 'setupValue', file, name };
}

/** The statements of a slice, each on its line; what configures an import is to run once in a worker. */
function codeOf(
  text: string,
  slice: Slice,
  isImport: (name: string) => boolean,
  isSent: (name: string) => boolean,
): string {
  let code = '';
  let at = 0;
  for (const { start, end, skip, role } of slice.statements) {
    code += blank(text.slice(at, start + skip));
    const own = text.slice(start + skip, end);
    if (role?.kind === 'decorates') {
      const owners = role.given.filter((name) => isSent(name));
      code += `${keepName}([${owners.join()}],()=>{${own}});`;
    } else if (role !== undefined && role.root !== undefined && isImport(role.root)) {
      code += `${onceName}(${start},()=>{${own}});`;
    } else code += `${own};`;
    at = end;
  }
  return code;
}

function blank(text: string): string {
  const lines = text.split('\n');
  return '\n'.repeat(lines.length - 1) + ' '.repeat((lines.at(-1) as string).length);
}

function nodeOfImport(from: string, imported: Import): GraphNode {
  if (imported.kind === 'require') return { type: 'require', from, code: imported.code, name: imported.name };
  const { specifier, name, attributes } = imported;
  return { type: 'import', from, specifier, name, attributes };
}

/** Which packages and modules of Node's travel as imports, and whether files of the program do, which may use any. */
function usedBy(nodes: readonly GraphNode[]): { readonly packages: ReadonlySet<string>; readonly ownFiles: boolean } {
  const packages = new Set<string>();
  let ownFiles = false;
  for (const node of nodes) {
    const specifiers =
      node.type === 'import'
        ? [node.specifier]
        : node.type === 'require'
          ? requiredIn(node.code)
          : node.type === 'named' && node.module !== undefined
            ? [node.module]
            : [];
    for (const each of specifiers) {
      if (isPackage(each) || isBuiltin(each)) packages.add(packageOf(each));
      else ownFiles = true;
    }
  }
  return { packages, ownFiles };
}

function specifiersIn(imported: Import): string[] {
  return imported.kind === 'import' ? [imported.specifier] : requiredIn(imported.code);
}

function requiredIn(code: string): string[] {
  return [...code.matchAll(/\brequire\(\s*(['"])(.+?)\1\s*\)/g)].map(([, , specifier]) => specifier as string);
}

function isPackage(specifier: string): boolean {
  return !/^(\.{0,2}\/|file:|data:|[a-z]:|#)/i.test(specifier) && !isBuiltin(specifier);
}

/** The package of a specifier; of a file in one, too. */
function packageOf(specifier: string): string {
  if (isBuiltin(specifier)) return specifier.replace(/^(node:)?/, 'node:');
  const inside = specifier.split(/[\\/]node_modules[\\/]/).at(-1) as string;
  return /^(@[^/\\]+[/\\])?[^/\\]+/.exec(inside)?.[0] ?? inside;
}

function isOwnFile(url: string): boolean {
  return (url.startsWith('file:') || /^([a-z]:)?[\\/]/i.test(url)) && !/[\\/]node_modules[\\/]/.test(url);
}

function describe({ written, text }: File, start: number, statement: string): string {
  const line = text.slice(0, start).split('\n').length + written.script.startLine;
  const [first = ''] = statement.split('\n');
  const short = first.length > 60 ? `${first.slice(0, 57)}…` : first;
  return `"${short}" (${written.script.url.replace(/^file:\/\//, '')}:${line})`;
}

function statementsIn(scriptId: string, text: string, isModule: boolean): FileStatements {
  const known = remembered.get(scriptId);
  if (known !== undefined) return known;
  let statements = nothing;
  try {
    statements = statementsOf(text, isModule);
  } catch {
    // in a newer language
  }
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  remembered.set(scriptId, statements);
  return statements;
}
