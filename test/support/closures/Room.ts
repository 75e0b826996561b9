/** What is known of the variables of a program while it grows: which there are, and what can be done with their values. */

/** What a value can be used for. */
export type Shape =
  | { readonly kind: 'number' }
  | { readonly kind: 'list'; readonly of: Shape; readonly length: number }
  | { readonly kind: 'map'; readonly of: Shape; readonly keys: readonly string[] }
  | { readonly kind: 'object'; readonly members: Map<string, Shape>; readonly setters: Set<string> }
  | {
      readonly kind: 'function';
      readonly parameters: readonly Parameter[];
      readonly result: Shape;
      readonly cost: number;
    }
  | { readonly kind: 'generator'; readonly cost: number }
  | {
      readonly kind: 'class';
      readonly parameters: number;
      readonly instance: ObjectShape;
      readonly statics: Map<string, Shape>;
      readonly cost: number;
    };

export type ObjectShape = Extract<Shape, { kind: 'object' }>;
export type FunctionShape = Extract<Shape, { kind: 'function' }>;

/** What a function wants as an argument: a number, `{ p, q }`, `[first, second]`, or nothing at all. */
export type Parameter = 'number' | 'fields' | 'items' | 'default';

export const numberShape: Shape = { kind: 'number' };

export interface Variable {
  readonly name: string;
  readonly shape: Shape;
  readonly isMutable: boolean;
}

/** A scope, with the names that are, or will be, declared in it. */
export class Room {
  readonly outer: Room | undefined;
  /** Names to come hide those of outer scopes, too: to read one before its declaration is an error. */
  readonly planned: string[];
  readonly #variables = new Map<string, Variable>();
  readonly #hidden: Set<string>;

  constructor(outer?: Room, planned: readonly string[] = []) {
    this.outer = outer;
    this.planned = [...planned];
    this.#hidden = new Set(planned);
  }

  add(name: string, shape: Shape, isMutable = false): void {
    this.#variables.set(name, { name, shape, isMutable });
  }

  has(name: string): boolean {
    return this.#variables.has(name);
  }

  /** The variables that are seen here, the nearest first. */
  visible(): Variable[] {
    const hidden = new Set<string>();
    const found: Variable[] = [];
    for (let room: Room | undefined = this as Room; room !== undefined; room = room.outer) {
      for (const [name, variable] of room.#variables) if (!hidden.has(name)) found.push(variable);
      for (const name of [...room.#variables.keys(), ...room.#hidden]) hidden.add(name);
    }
    return found;
  }
}
