import Type from 'typebox';
import { resource, text, textOrNull } from './envelope.ts';

/** Unified limits. */

const common = { id: text, service_id: text, region_id: textOrNull, resource_name: text, description: textOrNull };
export const registeredLimit = resource('RegisteredLimit', { ...common, default_limit: Type.Integer() });
const limitProperties = { ...common, project_id: textOrNull, domain_id: textOrNull, resource_limit: Type.Integer() };
export const limit = resource('UnifiedLimit', limitProperties);
/** A limit as projects show it. */
export const limitOfProject = Type.Object(limitProperties);
