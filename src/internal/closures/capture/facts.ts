/** What V8 knows of functions and scripts. */

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
  /** A `file:` URL, a path, or another name; empty if it has none. */
  readonly url: string;
  readonly isModule: boolean;
  /** Where its text begins in what it calls its file, counted from 0. */
  readonly startLine: number;
  readonly startColumn: number;
  /** Where its source map is; empty where it has none. */
  readonly sourceMapURL: string;
}
