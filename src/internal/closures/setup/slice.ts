/** Which statements of a file a worker runs before its first task: a function of the text and of what is wanted, nothing else. */

import type { FileStatements, Statement } from './statements.js';

export interface Wanted {
  /** The variables whose values are to be made by their declarations. */
  readonly values: ReadonlySet<string>;
  /** Whether a name is an import that what travels uses. */
  isUsedImport(name: string): boolean;
  /** Whether a name is an import at all. */
  isImport(name: string): boolean;
  /** Whether a variable's value can be sent, so that its declaration need not run. */
  hasValue(name: string): boolean;
  /** Whether the class of this name travels. */
  travels(name: string): boolean;
  /** Names whose values cannot travel: what needs them is left out. */
  readonly missing: ReadonlySet<string>;
}

export interface Slice {
  /** In the order of the source. */
  readonly statements: readonly Statement[];
  /** The names whose values have to be sent. */
  readonly sent: ReadonlySet<string>;
  /** The imports that are needed. */
  readonly imports: ReadonlySet<string>;
  /** What configures something that travels and is not run again. */
  readonly skipped: readonly Statement[];
  /** A wanted value that cannot be had, and the statement that is why. */
  readonly refused: readonly { readonly name: string; readonly because: Statement | undefined }[];
}

export function sliceOf({ statements, declarations, assignedLater }: FileStatements, wanted: Wanted): Slice {
  const chosen = new Set<Statement>();
  const sent = new Set<string>();
  const imports = new Set<string>();
  const skipped: Statement[] = [];
  const refused: { name: string; because: Statement | undefined }[] = [];

  /** Chooses a statement with all that it needs. @returns Why that cannot be; `undefined` where it can. */
  const choose = (statement: Statement, values: ReadonlySet<string>): Statement | undefined => {
    const now = new Set<Statement>();
    const nowSent = new Set<string>();
    const nowImports = new Set<string>();
    const add = (each: Statement): Statement | undefined => {
      if (now.has(each) || chosen.has(each)) return undefined;
      if (each.excluded !== undefined) return each;
      now.add(each);
      for (const name of each.uses) {
        const declaration = declarations.get(name);
        if (wanted.isImport(name)) nowImports.add(name);
        else if (declaration === undefined || declaration === each) continue;
        else if (wanted.missing.has(name) && !values.has(name)) return declaration;
        else if (!values.has(name) && wanted.hasValue(name) && !isAssigned(name)) nowSent.add(name);
        else {
          // A variable that changes has here the values that it had: that can be told of literals only.
          if (assignedLater.has(name) && !declaration.isInert) return declaration;
          const why = add(declaration);
          if (why !== undefined) return why;
          for (const other of statements) {
            const assigned = other.assigns.has(name) && other.role !== undefined ? add(other) : undefined;
            if (assigned !== undefined) return assigned;
          }
        }
      }
      return undefined;
    };
    const why = add(statement);
    if (why !== undefined) return why;
    for (const each of now) chosen.add(each);
    for (const each of nowSent) sent.add(each);
    for (const each of nowImports) imports.add(each);
    return undefined;
  };
  const isAssigned = (name: string): boolean =>
    assignedLater.has(name) || statements.some(({ assigns, role }) => role !== undefined && assigns.has(name));

  for (const name of wanted.values) {
    const declaration = declarations.get(name);
    const why = declaration === undefined || assignedLater.has(name) ? declaration : choose(declaration, wanted.values);
    if (declaration === undefined || why !== undefined) refused.push({ name, because: why });
  }
  for (const statement of statements) {
    const { role } = statement;
    if (role === undefined || statement.bare !== undefined) continue;
    const isOn = role.root !== undefined && wanted.values.has(role.root);
    const isGiven = role.given.some((name) => wanted.values.has(name));
    if (isOn || (isGiven && role.kind === 'configures')) {
      // Without it the value would be another one.
      const why = role.kind === 'excluded' ? statement : choose(statement, wanted.values);
      if (why !== undefined) refused.push({ name: role.root as string, because: why });
      continue;
    }
    if (role.kind === 'decorates') {
      if (role.given.some((name) => wanted.travels(name)) && choose(statement, wanted.values) !== undefined) {
        skipped.push(statement);
      }
      continue;
    }
    const isImports = role.root !== undefined && wanted.isImport(role.root);
    if (!isImports || ![...statement.uses].some((name) => wanted.isUsedImport(name))) continue;
    if (role.kind !== 'configures' || choose(statement, wanted.values) !== undefined) skipped.push(statement);
  }
  return { statements: statements.filter((each) => chosen.has(each)), sent, imports, skipped, refused };
}
