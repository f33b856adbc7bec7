import { listLoggableResources, logVerbs } from '../app/logs.ts';
import { LOG, LOGGABLE_RESOURCE } from '../resources/log.ts';
import { operationsOfKind } from './kinds.ts';
import { listOf } from './verbs.ts';

export const logOperations = [...operationsOfKind(LOG, logVerbs, 'a log', 'logs'), listOf(LOGGABLE_RESOURCE, 'List what can be logged', listLoggableResources)];
