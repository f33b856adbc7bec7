import Type, { type Static, type TProperties, type TSchema } from 'typebox';

/** Pieces of which schemas of answers are made. */

/** What may be null. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** One thing under its name: `{ server: {...} }`. */
export const inside = <K extends string, T extends TSchema>(key: K, schema: T) => Type.Object({ [key]: schema } as Record<K, T>);

/** An object whose keys users choose, or nobody knows beforehand. */
export const dictionary = <T extends TSchema>(schema: T) => Type.Unsafe<Record<string, Static<T>>>({ type: 'object', additionalProperties: schema });

/** A type with a name of its own in the cloud's document. */
export const named = <P extends TProperties>(title: string, properties: P) => Type.Object(properties, { title });
