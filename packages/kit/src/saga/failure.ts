import { type ErrorKind, isCairnError, publicText } from '../errors/errors.ts';
import type { SagaFailure } from './saga.ts';

/** Why a step's try ended badly, as it is kept in `kit_saga_step.error`: a SagaFailure without the step's name. */
export type StepError = Omit<SagaFailure, 'step'>;

/** The abort reason when somebody asked that the saga unwind. */
export class Cancelled extends Error {
  constructor() {
    super('The operation was cancelled before it had finished.');
    this.name = 'Cancelled';
  }
}

/** The abort reason at a step's deadline. */
export class DeadlinePassed extends Error {
  constructor(ms: number) {
    super(`It did not finish within ${ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`}.`);
    this.name = 'Timeout';
  }
}

/**
 * The abort reason, and what a run throws, when this engine must let go of a saga as it is: at shutdown, when the lease went to
 * another engine, or after a simulated crash. Nothing is recorded; whoever takes the saga over resumes it.
 */
export class LetGo extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'LetGo';
  }
}

/** Thrown by a probe: the process dies here, without another write. */
export class Crash extends Error {
  constructor() {
    super('simulated crash');
    this.name = 'Crash';
  }
}

/** Thrown by a probe after `do` or `undo`: forget that it ran and run it again. */
export class Again extends Error {
  constructor() {
    super('simulated repeat');
    this.name = 'Again';
  }
}

/** True for what may pass by itself: a domain error of kind Unavailable, and anything that is no domain error. */
export function isTransient(error: unknown): boolean {
  return !isCairnError(error) || error.kind === 'Unavailable';
}

const DETAIL_LENGTH = 8000;

/** An error as it is stored: public text, kind, and private detail. */
export function describe(error: unknown): StepError {
  if (error instanceof Cancelled) return { kind: 'Cancelled', message: error.message };
  if (error instanceof DeadlinePassed) {
    const cause = error.cause === undefined ? undefined : describe(error.cause);
    return {
      kind: 'Timeout',
      message: cause ? `${error.message} The last try ended with: ${cause.message}` : error.message,
      ...(cause?.detail ? { detail: cause.detail } : {}),
    };
  }
  const kind: ErrorKind = isCairnError(error) ? error.kind : 'Internal';
  const type = isCairnError(error) ? error.type : undefined;
  return { kind, message: publicText(error), ...(type === undefined ? {} : { type }), detail: detailOf(error) };
}

function detailOf(error: unknown): string {
  const parts: string[] = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  if (isCairnError(error) && error.detail !== undefined) parts.push(text(error.detail));
  for (
    let cause = error instanceof Error ? error.cause : undefined;
    cause !== undefined && parts.length < 5;
    cause = cause instanceof Error ? cause.cause : undefined
  ) {
    parts.push(`caused by ${cause instanceof Error ? (cause.stack ?? cause.message) : text(cause)}`);
  }
  return parts.join('\n').slice(0, DETAIL_LENGTH);
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
