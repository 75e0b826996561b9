/** Failures as workers tell them, turned into the errors that users get. */

import { UnserializableError, WorkerStartError, type WorkerDiedError } from '../../../errors.js';
import { decodeThrown } from '../../protocol/decodeThrown.js';
import type { EncodedFailure } from '../../protocol/messages.js';
import { findUnserializable } from '../../protocol/unserializable.js';
import type { ClassTable } from '../../protocol/ClassTable.js';

/** The option of a function that is no task. */
export type WorkerFunctionOption = NonNullable<WorkerDiedError['option']>;

/** The worker that tells. */
interface Teller {
  readonly id: number;
  readonly classes: ClassTable;
}

/** Why a value failed. @param index Which value. */
export function taskError(failure: EncodedFailure, worker: Teller, index: number): unknown {
  return failureError(failure, worker, { index });
}

/** Why an init or exit function failed. */
export function hookError(failure: EncodedFailure, worker: Teller, option: WorkerFunctionOption): unknown {
  return failureError(failure, worker, { option });
}

function failureError(
  failure: EncodedFailure,
  { id: workerId, classes }: Teller,
  { index, option }: { readonly index?: number; readonly option?: WorkerFunctionOption },
): unknown {
  const thrown = decodeThrown(failure.thrown, classes);
  switch (failure.kind) {
    case 'unserializable':
      return new UnserializableError({
        path: failure.path,
        kind: failure.what,
        index,
        direction: 'result',
        ...(option === undefined ? {} : { option, workerId }),
        cause: thrown,
      });
    case 'thrown':
      return withOrigin(thrown, workerId, index);
  }
}

/** Why a function could not be loaded. @param option Whose it is, where it is no task. */
export function loadError(failure: EncodedFailure, workerId: number, option?: WorkerFunctionOption): WorkerStartError {
  return new WorkerStartError({ workerId, option, cause: decodeThrown(failure.thrown) });
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
