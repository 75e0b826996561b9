/** Objects with private members, in the worker: only constructors can give an object those, and only code of its class can fill them. */

import { fillName } from './graph.js';

type Fill = (this: object, object: object, values: readonly unknown[]) => void;

const fillers = new WeakMap<object, Fill>();

/** Takes the method from a class that fills private fields, so that nobody sees it. */
export function takeFiller(owner: object): void {
  if (!Object.hasOwn(owner, fillName)) return;
  const { [fillName]: fill } = owner as { [fillName]?: Fill };
  Reflect.deleteProperty(owner, fillName);
  if (fill !== undefined) fillers.set(owner, fill);
}

export function fillPrivates(owner: object, object: object, values: readonly unknown[]): void {
  fillers.get(owner)?.call(owner, object, values);
}

/** What stands in for the arguments of a constructor that is only to make its fields: all is there, and is nothing. */
const anything: unknown = new Proxy(function () {}, {
  get: (_, key) => (key === Symbol.iterator ? noValues : key === Symbol.toPrimitive ? () => '' : anything),
  apply: () => anything,
  construct: () => anything as object,
});

function* noValues(): Generator<never> {}

/** Whether constructors are only to make the fields of an instance: the variable that they ask. */
export const filling = { on: false };

/** An object of a class as it begins, without anything that its constructors have put into it. */
export function makeEmptyInstance(proto: { constructor: new () => object }): object {
  const target = function () {};
  target.prototype = proto;
  filling.on = true;
  try {
    const object = Reflect.construct(proto.constructor, new Array(16).fill(anything), target) as object;
    for (const key of Reflect.ownKeys(object)) Reflect.deleteProperty(object, key);
    return object;
  } finally {
    filling.on = false;
  }
}
