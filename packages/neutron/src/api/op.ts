import { operationsOf } from '@cairn/kit/http/operation';
import type { NeutronApp } from '../app/deps.ts';

/** Declares an operation of the network service. */
export const op = operationsOf<NeutronApp>();
