import Type, { type TSchema } from 'typebox';
import { nullable } from '@cairn/kit/http/answers';

/** A time without a zone, as upstream's objects have it: `2026-01-31T12:00:00.000000`. */
export const Time = Type.String();
export const TimeOrNull = nullable(Time);
export const TextOrNull = nullable(Type.String());
export const IntegerOrNull = nullable(Type.Integer());

export const Link = Type.Object({ rel: Type.String(), href: Type.String(), type: Type.Optional(Type.String()) }, { title: 'ComputeLink' });
export const Links = Type.Array(Link);

/** A page of a list, with the link to the next where there is one. */
export const page = (key: string, schema: TSchema, links = `${key}_links`) => Type.Object({ [key]: Type.Array(schema), [links]: Type.Optional(Links) });
