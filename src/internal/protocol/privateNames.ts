/** Whether the instances of a class have private members, which cannot be cloned. */

const texts = /(["'`])(?:\\.|(?!\1)[^\\])*\1|\/\/.*|\/\*[^]*?\*\//g;
/** A private name where it is declared, unless that is by a static member. */
const declared =
  /(?<![.\w$]\s*|\bstatic\s+(?:(?:async|get|set|accessor)\s+|\*\s*)*)#[\p{ID_Start}$_][\p{ID_Continue}$]*(?!\s*\bin\b|[\p{ID_Continue}$])/u;

/** It says so where its text, or that of a class which it extends, declares one. */
export function hasPrivateNames(owner: Function): boolean {
  for (let at: unknown = owner; typeof at === 'function'; at = Object.getPrototypeOf(at)) {
    if (declared.test(Function.prototype.toString.call(at).replaceAll(texts, ''))) return true;
  }
  return false;
}
