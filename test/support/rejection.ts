/** What a promise rejects with. Throws where it resolves instead. */
export async function rejection<E = Error>(promise: PromiseLike<unknown>): Promise<E> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as E;
  }
  throw new Error(`Expected a rejection, but it resolved with ${String(value)}`);
}

/** What a function throws. Throws an error of its own where it returns instead. */
export function thrownBy<E = Error>(act: () => unknown): E {
  let value: unknown;
  try {
    value = act();
  } catch (error) {
    return error as E;
  }
  throw new Error(`Expected an error, but it returned ${String(value)}`);
}
