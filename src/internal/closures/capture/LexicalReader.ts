/**
 * Reads what an arrow function has of the function around it: `this` and `arguments`, which V8 shows in no scope. It is read where the body
 * of the function would begin: the function is called, paused there by breakpoints, asked, and ended, so that nothing of it runs.
 *
 * The call is one of the inspector's with a time limit, which nothing comes near: for that the inspector takes back a termination of its
 * own when the call ends, whereas any other would go on to end the program.
 */

import { createRequire } from 'node:module';
import type { Session } from 'node:inspector';
import { mainGlobal } from '../../platform/realm.js';
import type { FunctionShape } from './analyse.js';
import type { FunctionFacts, ScriptFacts } from './facts.js';
import type { SourceText } from './SourceText.js';

/** Of a function's text, what is needed here. */
interface WrittenFunction {
  readonly shape: FunctionShape;
  readonly script: ScriptFacts;
  readonly offset: number;
}

export type LexicalName = 'this' | 'arguments';

/** What could be read, or why it could not. */
export type LexicalValues = { readonly [name in LexicalName]: unknown } | { readonly refusal: string };

/** What an arrow function takes from around it never changes. */
const known = new WeakMap<object, LexicalValues>();

const holderName = 'rxjs-parallel-map.lexical';

/** Milliseconds that the call has: it takes one or two. */
const TIME_LIMIT = 60_000;

/** How many places of a body are watched. */
const MOST_PLACES = 1000;

interface Holder {
  call: (() => unknown) | undefined;
  /** What was read. */
  readonly received: unknown[];
}

interface Place {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber?: number;
}

type Post = <T>(method: string, params: object) => T;

export interface LexicalQuestion {
  readonly fn: (...args: never[]) => unknown;
  readonly at: NonNullable<FunctionFacts['location']>;
  readonly written: WrittenFunction;
  readonly source: SourceText;
}

/** @param enable Switches the domain `Debugger` on, in the session. */
export function readLexical(
  question: LexicalQuestion,
  session: Session,
  post: Post,
  enable: () => void,
): LexicalValues {
  const { fn } = question;
  const before = known.get(fn);
  if (before !== undefined) return before;
  const values = read(question, session, post, enable);
  if ('this' in values) known.set(fn, values);
  return values;
}

function read(
  { fn, at, written, source }: LexicalQuestion,
  session: Session,
  post: Post,
  enable: () => void,
): LexicalValues {
  const { arrow } = written.shape;
  if (arrow?.args === undefined)
    return { refusal: 'its parameters, or a class in it, would run code while it is read' };
  if (isDebugged()) return { refusal: 'it cannot be read while a debugger may be attached' };
  const global = globalOf(fn);
  if (global === undefined) return { refusal: 'it cannot be read in this context' };
  enable();
  const { lineNumber, columnNumber } = placeOf(written, source, arrow.body);
  const isInBody = (place: Place): boolean =>
    place.lineNumber > lineNumber || (place.lineNumber === lineNumber && (place.columnNumber ?? 0) >= columnNumber);
  const { locations } = post<{ locations: readonly Place[] }>('Debugger.getPossibleBreakpoints', {
    start: { scriptId: at.scriptId, lineNumber: at.line, columnNumber: at.column },
    restrictToFunction: true,
  });
  const places = locations.filter(isInBody);
  if (places.length === 0 || places.length > MOST_PLACES) return { refusal: 'there is no place to read it at' };

  const key = Symbol.for(holderName);
  const holder: Holder = { call: undefined, received: [] };
  const { args } = arrow;
  holder.call = () => Reflect.apply(fn, undefined, args as never[]);
  const expressionOf = (name: string): string => {
    const own = `globalThis[Symbol.for(${JSON.stringify(holderName)})]`;
    return `void ${own}.received.push(${name})`;
  };
  const names = written.shape.lexical.map(({ name }) => name);
  const onPaused = ({
    params,
  }: {
    readonly params: { readonly callFrames: readonly { readonly callFrameId: string }[] };
  }): void => {
    try {
      const callFrameId = params.callFrames[0]?.callFrameId;
      for (const name of names) {
        post('Debugger.evaluateOnCallFrame', { callFrameId, expression: expressionOf(name), silent: true });
      }
    } catch {
      // what was not read is refused
    } finally {
      post('Debugger.resume', { terminateOnResume: true });
    }
  };
  // That of the function, and that in which the inspector evaluates.
  const globals = new Set([global, mainGlobal()]);
  const breakpoints: string[] = [];
  session.on('Debugger.paused', onPaused as never);
  try {
    for (const each of globals) Object.defineProperty(each, key, { value: holder, configurable: true });
    for (const location of places) {
      breakpoints.push(post<{ breakpointId: string }>('Debugger.setBreakpoint', { location }).breakpointId);
    }
    end(post);
  } finally {
    session.off('Debugger.paused', onPaused as never);
    for (const breakpointId of breakpoints) post('Debugger.removeBreakpoint', { breakpointId });
    for (const each of globals) Reflect.deleteProperty(each, key);
  }
  const { received } = holder;
  if (received.length !== names.length) return { refusal: 'it could not be read' };
  return { this: received[names.indexOf('this')], arguments: received[names.indexOf('arguments')] };
}

/** Calls the function. That it is terminated is reported as an error. */
function end(post: Post): void {
  const expression = `globalThis[Symbol.for(${JSON.stringify(holderName)})].call()`;
  try {
    post('Runtime.evaluate', { expression, silent: true, timeout: TIME_LIMIT });
  } catch {
    // as it should be
  }
}

/** A pause would show in a debugger, and the debugger could go on from it. */
function isDebugged(): boolean {
  const inspector = createRequire(import.meta.url)('node:inspector') as typeof import('node:inspector');
  return inspector.url() !== undefined;
}

/** The global object that the code of a function sees. */
function globalOf(fn: object): object | undefined {
  let proto = Object.getPrototypeOf(fn) as object | null;
  if (proto === Function.prototype || (proto !== null && Object.getPrototypeOf(proto) === Function.prototype))
    return globalThis;
  // Of a function of another context: that of its `Function`.
  while (proto !== null) {
    const owner: unknown = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value;
    if (typeof owner === 'function' && owner.name === 'Function') {
      try {
        return (owner as FunctionConstructor)('return this')() as object;
      } catch {
        return undefined; // it makes no code of text
      }
    }
    proto = Object.getPrototypeOf(proto) as object | null;
  }
  return undefined;
}

/** A place of a function's text as the inspector counts. */
function placeOf(
  { offset, script }: WrittenFunction,
  source: SourceText,
  at: number,
): Required<Omit<Place, 'scriptId'>> {
  const line = source.lineAt(offset + at);
  const column = offset + at - source.startOf(line);
  return { lineNumber: line + script.startLine, columnNumber: column + (line === 0 ? script.startColumn : 0) };
}
