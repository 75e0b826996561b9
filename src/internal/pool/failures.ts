/** Failures as workers tell them, turned into the errors that users get. */

import { UnserializableError, WorkerStartError } from '../../errors.js';
import { decodeThrown } from '../channel/decodeThrown.js';
import type { EncodedFailure } from '../channel/messages.js';
import { findUnserializable } from '../channel/unserializable.js';

/** Why a value failed; without an index, an init or exit function. */
export function taskError(failure: EncodedFailure, workerId: number, index?: number): unknown {
  const thrown = decodeThrown(failure.thrown);
  switch (failure.kind) {
    case 'unserializable':
      return new UnserializableError({
        path: failure.path,
        kind: failure.what,
        index,
        direction: 'result',
        cause: thrown,
      });
    case 'thrown':
      return withOrigin(thrown, workerId, index);
  }
}

/** Why a function could not be loaded. */
export function loadError(failure: EncodedFailure, workerId: number): WorkerStartError {
  return new WorkerStartError({ workerId, cause: decodeThrown(failure.thrown) });
}

/** Why a value cannot be sent to a worker. */
export function inputError(
  value: unknown,
  index: number,
  isCloneable: (value: unknown) => boolean,
  cause: unknown,
): UnserializableError {
  const found = findUnserializable(value, isCloneable);
  return new UnserializableError({
    path: found?.path ?? 'value',
    kind: found?.kind,
    index,
    direction: 'input',
    cause,
  });
}

/** Says where an error comes from, on the error itself; unseen, so that it stays equal to what was thrown. */
function withOrigin(thrown: unknown, workerId: number, index: number | undefined): unknown {
  if (thrown instanceof Error && Object.isExtensible(thrown)) {
    for (const [key, value] of Object.entries({ workerId, index })) {
      if (value !== undefined && !Object.hasOwn(thrown, key)) {
        Object.defineProperty(thrown, key, { value, enumerable: false, writable: true, configurable: true });
      }
    }
  }
  return thrown;
}
