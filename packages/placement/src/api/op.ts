import { operationsOf } from '@cairn/kit/http/operation';
import type { PlacementApp } from '../app/app.ts';

/** Declares one of placement's operations. */
export const op = operationsOf<PlacementApp>();
