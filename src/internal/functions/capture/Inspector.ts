/**
 * What only V8 knows of a function: where it is written, and the variables around it. Read through `node:inspector`, in a
 * session of its own that asks without pausing, running or changing anything, and is closed again: a debugger that is attached,
 * or other sessions, notice nothing.
 */

import { createRequire } from 'node:module';
import type { Session } from 'node:inspector';

/** A scope of a function, with its variables as properties. */
export interface Scope {
  /** `Module`, `Closure (name)`, `Block`, `Script`, `Global` and the like. */
  readonly description: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** What the inspector tells of a function. */
export interface FunctionFacts {
  /** Where V8 says it begins, which is inside its text; none for native functions. Lines and columns count from 0. */
  readonly location: { readonly scriptId: string; readonly line: number; readonly column: number } | undefined;
  /** The innermost first. */
  readonly scopes: readonly Scope[];
  readonly isBound: boolean;
}

/** A script that was loaded. */
export interface ScriptFacts {
  readonly id: string;
  /** A `file:` URL, a path, or whatever it was called; empty for one without a name. */
  readonly url: string;
  readonly isModule: boolean;
  /** Where its text begins in what it calls its file, counted from 0. */
  readonly startLine: number;
  readonly startColumn: number;
  /** Where its source map is; empty where it has none. */
  readonly sourceMapURL: string;
}

interface RemoteObject {
  readonly objectId?: string;
  readonly value?: unknown;
  /** What JSON cannot say: `-0`, `NaN`, `5n`. */
  readonly unserializableValue?: string;
}

interface Properties {
  readonly internalProperties?: readonly { readonly name: string; readonly value?: RemoteObject }[];
  readonly privateProperties?: readonly { readonly name: string; readonly value?: RemoteObject }[];
}

/** What the session and this code hand each other, by a name that exists for that moment only. */
interface Holder {
  subject: unknown;
  received: unknown;
}

const holderName = 'rxjs-parallel-map.inspected';

/** Scripts are never renamed, so what was heard of one stays true; those that were asked for are kept. */
const knownScripts = new Map<string, ScriptFacts>();

export class Inspector {
  readonly #session: Session;
  readonly #holder: Holder = { subject: undefined, received: undefined };
  readonly #holderId: string;
  #heard: Map<string, ScriptFacts> | undefined;

  private constructor(session: Session) {
    this.#session = session;
    const key = Symbol.for(holderName);
    const place = globalThis as { [key]?: Holder };
    Object.defineProperty(place, key, { value: this.#holder, configurable: true });
    try {
      const expression = `globalThis[Symbol.for(${JSON.stringify(holderName)})]`;
      const { result } = this.#post<{ result: RemoteObject }>('Runtime.evaluate', { expression, silent: true });
      this.#holderId = result.objectId as string;
    } finally {
      delete place[key];
    }
  }

  /** Opens a session; `undefined` where this Node has no inspector, or does not allow it. */
  static open(): Inspector | undefined {
    let session: Session;
    try {
      const inspector = createRequire(import.meta.url)('node:inspector') as typeof import('node:inspector');
      session = new inspector.Session();
      session.connect();
    } catch {
      return undefined; // built without it, or forbidden by the permission model
    }
    try {
      return new Inspector(session);
    } catch (error) {
      session.disconnect();
      throw error;
    }
  }

  close(): void {
    this.#session.disconnect();
  }

  factsOf(fn: object): FunctionFacts {
    const internal = new Map<string, RemoteObject | undefined>();
    for (const { name, value } of this.#propertiesOf(fn).internalProperties ?? []) internal.set(name, value);
    const at = internal.get('[[FunctionLocation]]')?.value as
      { scriptId: string; lineNumber: number; columnNumber: number } | undefined;
    const scopes = internal.get('[[Scopes]]');
    return {
      location: at && { scriptId: at.scriptId, line: at.lineNumber, column: at.columnNumber },
      scopes: scopes === undefined ? [] : Array.from(this.#fetch(scopes) as ArrayLike<Scope>),
      isBound: internal.has('[[TargetFunction]]'),
    };
  }

  /**
   * An object's private fields and methods, by name with `#`, in the order in which its classes have given it those; of a class, its
   * static ones.
   */
  privatesOf(object: object): [name: string, value: unknown][] {
    const found: [string, unknown][] = [];
    for (const { name, value } of this.#propertiesOf(object).privateProperties ?? []) {
      if (value !== undefined) found.push([name, this.#fetch(value)]);
    }
    return found;
  }

  scriptOf(id: string): ScriptFacts | undefined {
    const known = knownScripts.get(id);
    if (known !== undefined) return known;
    this.#heard ??= this.#listScripts();
    const script = this.#heard.get(id);
    if (script !== undefined) knownScripts.set(id, script);
    return script;
  }

  sourceOf(script: ScriptFacts): string {
    this.#heard ??= this.#listScripts();
    return this.#post<{ scriptSource: string }>('Debugger.getScriptSource', { scriptId: script.id }).scriptSource;
  }

  /** Switching this domain on is what a capture mostly costs: it tells of all scripts that there are. */
  #listScripts(): Map<string, ScriptFacts> {
    const scripts = new Map<string, ScriptFacts>();
    this.#session.on('Debugger.scriptParsed', ({ params }) => {
      const { scriptId: id, url, isModule = false, startLine, startColumn, sourceMapURL = '' } = params;
      scripts.set(id, { id, url, isModule, startLine, startColumn, sourceMapURL });
    });
    this.#post('Debugger.enable', {});
    return scripts;
  }

  #propertiesOf(subject: object): Properties {
    this.#holder.subject = subject;
    const { result } = this.#call<{ result: RemoteObject }>(this.#holderId, 'function () { return this.subject; }');
    this.#holder.subject = undefined;
    return this.#post<Properties>('Runtime.getProperties', { objectId: result.objectId, ownProperties: true });
  }

  /** What an object of the session stands for. */
  #fetch({ objectId, unserializableValue, value }: RemoteObject): unknown {
    const argument =
      objectId !== undefined ? { objectId } : unserializableValue !== undefined ? { unserializableValue } : { value };
    this.#call(this.#holderId, 'function (value) { this.received = value; }', [argument]);
    const { received } = this.#holder;
    this.#holder.received = undefined;
    return received;
  }

  #call<T>(objectId: string, functionDeclaration: string, args: readonly object[] = []): T {
    return this.#post<T>('Runtime.callFunctionOn', { objectId, functionDeclaration, arguments: args, silent: true });
  }

  /** In a session to one's own thread, the answer is there before `post` returns. */
  #post<T>(method: string, params: object): T {
    let outcome: { readonly error: Error | null; readonly result: unknown } | undefined;
    this.#session.post(method, params, (error: Error | null, result?: unknown) => (outcome = { error, result }));
    if (outcome === undefined) throw new Error(`The inspector has not answered ${method}.`);
    if (outcome.error !== null)
      throw Object.assign(new Error(`The inspector refuses ${method}.`), { cause: outcome.error });
    return outcome.result as T;
  }
}
