/**
 * What only V8 knows of a function: where it is written, and the variables around it. Read through `node:inspector`, in a
 * session of its own that asks without pausing, running or changing anything, and is closed again: a debugger that is attached,
 * or other sessions, notice nothing.
 */

import type { Session } from 'node:inspector';
import { mainGlobal } from '../../platform/realm.js';
import { openSession } from '../inspectorSession.js';
import type { FunctionFacts, ScriptFacts, Scope } from './facts.js';
import { readScriptFile } from './scriptFiles.js';
import { readLexical, type LexicalQuestion, type LexicalValues } from './LexicalReader.js';
import { SourceText } from './SourceText.js';
import { urlCorrection } from './urlCorrection.js';

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
  received: unknown[];
}

const holderName = 'rxjs-parallel-map.inspected';

/** What is let go of when the functions of one call are known. */
const batch = 'rxjs-parallel-map.batch';

/** How many functions one call of the inspector is given: each is an argument, and V8 limits these. */
const MOST_AT_ONCE = 1000;

/** Scripts are never renamed, so what was heard of one stays true; files that were asked for are kept. */
const knownScripts = new Map<string, ScriptFacts>();

/** The texts of the scripts that were asked for last, up to this many characters together: before it gives one, V8 tells of all scripts. */
const knownSources = new Map<string, SourceText>();
const MOST_CHARACTERS = 2 ** 24;
let knownCharacters = 0;

export class Inspector {
  readonly #session: Session;
  readonly #holder: Holder = { subject: undefined, received: [] };
  readonly #holderId: string;
  readonly #facts = new Map<object, FunctionFacts>();
  readonly #sources = new Map<string, SourceText>();
  #heard: Map<string, ScriptFacts> | undefined;
  #names: Map<string, string> | undefined;

  private constructor(session: Session) {
    this.#session = session;
    const key = Symbol.for(holderName);
    const place = mainGlobal() as { [key]?: Holder };
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
    const session = openSession();
    if (session === undefined) return undefined;
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

  /** What is known of a function. @param others Gives functions that come next: read together, they cost less. */
  factsOf(fn: object, others: () => readonly object[] = () => []): FunctionFacts {
    if (!this.#facts.has(fn)) {
      const unknown = [...new Set([fn, ...others()])].filter((each) => !this.#facts.has(each));
      for (let i = 0; i < unknown.length; i += MOST_AT_ONCE) this.#learn(unknown.slice(i, i + MOST_AT_ONCE));
    }
    return this.#facts.get(fn) as FunctionFacts;
  }

  /**
   * An object's private fields and methods, by name with `#`, in the order in which its classes have given it those; of a class, its
   * static ones.
   */
  privatesOf(object: object): [name: string, value: unknown][] {
    const named = this.#propertiesOf(object).privateProperties ?? [];
    const values = this.#fetch(named.map(({ value }) => value ?? { value: undefined }));
    return named.map(({ name }, i) => [name, values[i]]);
  }

  /** What V8 has inside an object, by the names that it shows for it; `undefined` for what it has not. */
  internalsOf(object: object, names: readonly string[]): unknown[] {
    const internal = this.#propertiesOf(object).internalProperties ?? [];
    return this.#fetch(names.map((name) => internal.find((each) => each.name === name)?.value ?? { value: undefined }));
  }

  /** What an arrow function has of the function around it. */
  lexicalOf(question: Omit<LexicalQuestion, 'source'>): LexicalValues {
    const source = this.sourceOf(question.written.script);
    const post = <T>(method: string, params: object): T => this.#post<T>(method, params);
    return readLexical({ ...question, source }, this.#session, post, () => {
      this.#heard ??= this.#listScripts();
    });
  }

  /**
   * The script that a function is in. Where that is a file as it is on disk, V8 need not be asked for it.
   *
   * @param isModule Whether it is a module, as the scopes of the function say.
   */
  scriptAround(text: string, at: NonNullable<FunctionFacts['location']>, isModule: boolean): ScriptFacts | undefined {
    if (!knownScripts.has(at.scriptId) && this.#heard === undefined) {
      this.#names ??= this.#listNames();
      const file = readScriptFile(this.#names.get(at.scriptId), text, at, isModule);
      if (file !== undefined) {
        knownScripts.set(at.scriptId, file.script);
        this.#keepSource(file.script, new SourceText(file.source));
      }
    }
    return this.scriptOf(at.scriptId);
  }

  scriptOf(id: string): ScriptFacts | undefined {
    const known = knownScripts.get(id);
    if (known !== undefined) return known;
    this.#heard ??= this.#listScripts();
    const script = this.#heard.get(id);
    if (script !== undefined && script.url !== '') knownScripts.set(id, script);
    return script;
  }

  sourceOf(script: ScriptFacts): SourceText {
    const known = knownSources.get(script.id) ?? this.#sources.get(script.id);
    if (known !== undefined) return known;
    this.#heard ??= this.#listScripts();
    const { scriptSource } = this.#post<{ scriptSource: string }>('Debugger.getScriptSource', { scriptId: script.id });
    const source = new SourceText(scriptSource);
    if (script.url === '') {
      this.#sources.set(script.id, source); // made at run time: there is no end of such
      return source;
    }
    this.#keepSource(script, source);
    return source;
  }

  #keepSource({ id }: ScriptFacts, source: SourceText): void {
    knownCharacters += source.text.length;
    if (knownCharacters > MOST_CHARACTERS) {
      knownSources.clear();
      knownCharacters = source.text.length;
    }
    knownSources.set(id, source);
  }

  /**
   * The names of scripts. The profiler knows them, too, and lists them without being switched on, which would change what others
   * measure with it.
   */
  #listNames(): Map<string, string> {
    const { result } = this.#post<{ result: readonly { readonly scriptId: string; readonly url: string }[] }>(
      'Profiler.getBestEffortCoverage',
      {},
    );
    const correct = urlCorrection();
    return new Map(result.map(({ scriptId, url }) => [scriptId, correct(url)]));
  }

  /** Switching this domain on is what a first capture mostly costs: it tells of all scripts that there are. */
  #listScripts(): Map<string, ScriptFacts> {
    const scripts = new Map<string, ScriptFacts>();
    const correct = urlCorrection();
    this.#session.on('Debugger.scriptParsed', ({ params }) => {
      const { scriptId: id, isModule = false, startLine, startColumn, sourceMapURL = '' } = params;
      scripts.set(id, { id, url: correct(params.url), isModule, startLine, startColumn, sourceMapURL });
    });
    this.#post('Debugger.enable', {});
    return scripts;
  }

  #learn(functions: readonly object[]): void {
    const ids = this.#idsOf(functions);
    const properties = ids.map(
      (objectId) =>
        this.#post<Properties>('Runtime.getProperties', { objectId, ownProperties: true }).internalProperties ?? [],
    );
    const internal = (i: number, wanted: string) => properties[i]?.find(({ name }) => name === wanted);
    const scopes = this.#fetch(functions.map((_, i) => internal(i, '[[Scopes]]')?.value ?? { value: [] }));
    for (const [i, fn] of functions.entries()) {
      const at = internal(i, '[[FunctionLocation]]')?.value?.value as
        { scriptId: string; lineNumber: number; columnNumber: number } | undefined;
      this.#facts.set(fn, {
        location: at && { scriptId: at.scriptId, line: at.lineNumber, column: at.columnNumber },
        scopes: Array.from(scopes[i] as ArrayLike<Scope>),
        isBound: internal(i, '[[TargetFunction]]') !== undefined,
      });
    }
    this.#post('Runtime.releaseObjectGroup', { objectGroup: batch });
  }

  /** The objects of the session that stand for functions, of all by one question. They are in the group `batch`. */
  #idsOf(functions: readonly object[]): string[] {
    this.#holder.subject = functions;
    const { result: list } = this.#post<{ result: RemoteObject }>('Runtime.callFunctionOn', {
      objectId: this.#holderId,
      functionDeclaration: 'function () { return this.subject; }',
      objectGroup: batch,
      silent: true,
    });
    this.#holder.subject = undefined;
    const { result } = this.#post<{ result: readonly { readonly name: string; readonly value?: RemoteObject }[] }>(
      'Runtime.getProperties',
      { objectId: list.objectId, ownProperties: true },
    );
    const ids: string[] = [];
    for (const { name, value } of result) if (name !== 'length') ids[Number(name)] = value?.objectId as string;
    return ids;
  }

  /** Without running any code, for each piece of that would be one more script in a debugger. */
  #propertiesOf(subject: object): Properties {
    this.#holder.subject = subject;
    const { result } = this.#post<{ result: readonly { readonly name: string; readonly value?: RemoteObject }[] }>(
      'Runtime.getProperties',
      { objectId: this.#holderId, ownProperties: true },
    );
    this.#holder.subject = undefined;
    const objectId = result.find(({ name }) => name === 'subject')?.value?.objectId;
    return this.#post<Properties>('Runtime.getProperties', { objectId, ownProperties: true });
  }

  /** What objects of the session stand for. */
  #fetch(objects: readonly RemoteObject[]): unknown[] {
    const args = objects.map(({ objectId, unserializableValue, value }) =>
      objectId !== undefined ? { objectId } : unserializableValue !== undefined ? { unserializableValue } : { value },
    );
    this.#post('Runtime.callFunctionOn', {
      objectId: this.#holderId,
      functionDeclaration: 'function (...values) { this.received = values; }',
      arguments: args,
      silent: true,
    });
    const { received } = this.#holder;
    this.#holder.received = [];
    return received;
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
