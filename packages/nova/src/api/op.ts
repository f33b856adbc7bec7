import { operationsOf } from '@cairn/kit/http/operation';
import type { NovaApp } from '../app/app.ts';

/** Declares one operation of the compute API. */
export const op = operationsOf<NovaApp>();
