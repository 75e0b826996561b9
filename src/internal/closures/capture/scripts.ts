/** Where functions are written, and what is known of their files. Kept from one capture to the next: files do not change. */

import { findSourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import { analyse, type FunctionShape } from './analyse.js';
import { shapeOfScript, type ScriptShape } from './imports.js';
import type { FunctionFacts, ScriptFacts } from './facts.js';
import type { Inspector } from './Inspector.js';
import type { SourceText } from './SourceText.js';

/** A function's text, in its file. */
export interface WrittenFunction {
  readonly text: string;
  readonly shape: FunctionShape;
  readonly script: ScriptFacts;
  readonly scriptShape: ScriptShape;
  /** Whether it uses its name and is a statement, so that this is a variable beside it. */
  readonly isDeclared: boolean;
  /** Where the text begins in the source of the script. */
  readonly offset: number;
  /** Where the text begins in the file, counted from 0. */
  readonly line: number;
  readonly column: number;
  /** The same for people: `file:line:column`, counted from 1, in the source that was compiled where that is known. */
  readonly location: string | undefined;
}

/** How many files, and functions in files, are remembered. */
const MOST_REMEMBERED = 1000;

/** Without it, to capture a function of 20 lines again would take four times as long. */
const inFiles = new Map<string, WrittenFunction>();
const scriptShapes = new Map<string, ScriptShape>();
/** Functions that were made at run time, in no file: there is no end of these, and each is remembered as long as it lives. */
const inNoFile = new WeakMap<object, WrittenFunction>();

/** What is known of code in no file, for the time of one capture. */
const sessions = new WeakMap<Inspector, Map<string, ScriptShape>>();

function shapesOfSession(inspector: Inspector): Map<string, ScriptShape> {
  let shapes = sessions.get(inspector);
  if (shapes === undefined) sessions.set(inspector, (shapes = new Map()));
  return shapes;
}

/** A function that belongs to Node. */
export class InsideNodeError extends Error {}

/** @throws SyntaxError where its text cannot be read; InsideNodeError. */
export function findWritten(
  fn: object,
  text: string,
  at: NonNullable<FunctionFacts['location']>,
  scopes: FunctionFacts['scopes'],
  inspector: Inspector,
): WrittenFunction {
  const key = `${at.scriptId}:${at.line}:${at.column}:${text.length}`;
  const known = inFiles.get(key) ?? inNoFile.get(fn);
  if (known !== undefined) return known;
  const isModule = scopes.some(({ description }) => description === 'Module');
  const script = inspector.scriptAround(text, at, isModule);
  if (script === undefined) throw new SyntaxError('V8 does not have it any more');
  if (script.url.startsWith('node:')) throw new InsideNodeError(script.url);
  const source = inspector.sourceOf(script);
  const hasFile = script.url !== '';
  const shapes = hasFile ? scriptShapes : shapesOfSession(inspector);
  const scriptShape = remember(shapes, script.id, () => shapeOfScript(source.text, script.isModule));
  const { offset, line, column } = placeIn(source, text, at, script);
  const shape = analyse(text, script.isModule);
  const written: WrittenFunction = {
    text,
    shape,
    script,
    scriptShape,
    isDeclared: shape.nameless !== undefined && isStatement(source.text, offset),
    offset,
    line,
    column,
    location: describePlace(script.url, line, column),
  };
  if (hasFile) remember(inFiles, key, () => written);
  else inNoFile.set(fn, written);
  return written;
}

const afterWhichAnExpressionComes =
  /([=(,:[!~?&|+\-*%<>^]|\b(return|yield|await|typeof|void|new|in|of|instanceof|delete|case|throw))$/;

/** Whether what begins at a place is a statement: told by what stands before. */
function isStatement(source: string, offset: number): boolean {
  let before = source.slice(Math.max(0, offset - 200), Math.max(0, offset)).trimEnd();
  while (before.endsWith('*/')) before = before.slice(0, Math.max(0, before.lastIndexOf('/*'))).trimEnd();
  return !afterWhichAnExpressionComes.test(before.slice(-12));
}

/** Where a function is, for people; of one that cannot be read, too. */
export function locate(
  text: string,
  at: NonNullable<FunctionFacts['location']>,
  inspector: Inspector,
): string | undefined {
  const script = inspector.scriptOf(at.scriptId);
  if (script === undefined) return undefined;
  const { line, column } = placeIn(inspector.sourceOf(script), text, at, script);
  return describePlace(script.url, line, column);
}

/** Where a text is that V8 says to be around a place. */
function placeIn(
  source: SourceText,
  text: string,
  at: NonNullable<FunctionFacts['location']>,
  script: ScriptFacts,
): { readonly offset: number; readonly line: number; readonly column: number } {
  const { startLine, startColumn } = script;
  const begin = source.startOf(at.line - startLine) + at.column - (at.line === startLine ? startColumn : 0);
  const offset = source.text.lastIndexOf(text, begin);
  const place = Math.max(offset, 0);
  const line = source.lineAt(place);
  const column = place - source.startOf(line) + (line === 0 ? startColumn : 0);
  return { offset, line: line + startLine, column };
}

/** A function of which nothing is known but its text. @throws SyntaxError where it cannot be read. */
export function writtenAlone(text: string): WrittenFunction {
  const script = { id: '', url: '', isModule: false, startLine: 0, startColumn: 0, sourceMapURL: '' };
  const scriptShape = shapeOfScript('', false);
  const shape = analyse(text, false);
  return { text, shape, script, scriptShape, isDeclared: false, offset: -1, line: 0, column: 0, location: undefined };
}

function remember<T>(memory: Map<string, T>, key: string, make: () => T): T {
  let value = memory.get(key);
  if (value !== undefined) return value;
  value = make();
  if (memory.size >= MOST_REMEMBERED) memory.clear();
  memory.set(key, value);
  return value;
}

function describePlace(url: string, line: number, column: number): string {
  if (url === '') return `<anonymous>:${line + 1}:${column + 1}`;
  if (process.sourceMapsEnabled === true) {
    const entry = findSourceMap(url)?.findEntry(line, column);
    if (entry !== undefined && 'originalSource' in entry) {
      return `${pathOf(entry.originalSource)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    }
  }
  return `${pathOf(url)}:${line + 1}:${column + 1}`;
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url; // a path already, or the name of code that is in no file
  }
}
