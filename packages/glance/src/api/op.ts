import { operationsOf } from '@cairn/kit/http/operation';
import type { GlanceApp } from '../app/app.ts';

/** Declares one of glance's operations. */
export const op = operationsOf<GlanceApp>();
