import Type, { type TSchema } from 'typebox';

/** What answers of keystone have in common. */

export const text = Type.String();
export const flag = Type.Boolean();
export const nullable = (schema: TSchema) => Type.Union([schema, Type.Null()]);
export const textOrNull = nullable(text);
export const selfLink = Type.Object({ self: text });
export const listLinks = Type.Object({ next: textOrNull, self: text, previous: Type.Null() });
/** Options of users, projects and roles, by their names. */
export const options = Type.Record(text, Type.Any());
export const named = Type.Object({ id: text, name: text });

/** A resource with a link to itself. `isOpen`: it shows besides whatever its maker gave it. */
export const resource = (title: string, properties: Readonly<Record<string, TSchema>>, isOpen = false) =>
  Type.Object({ ...properties, links: selfLink }, { title, ...(isOpen && { additionalProperties: true }) });

/** `{"user": {...}}` */
export const one = (name: string, schema: TSchema) => Type.Object({ [name]: schema });

/** `{"users": [...], "links": {...}}`; `truncated` where there is a page after it. */
export const many = (name: string, schema: TSchema) => Type.Object({ [name]: Type.Array(schema), links: listLinks, truncated: Type.Optional(flag) });
