import { nullable } from '@cairn/kit/http/answers';
import Type, { type TSchema } from 'typebox';

/** A time without a zone, as upstream's objects have it: `2026-01-31T12:00:00.000000`. */
export const Time = Type.String();
export const TimeOrNull = nullable(Time);
export const TextOrNull = nullable(Type.String());

export const Links = Type.Array(Type.Object({ rel: Type.String(), href: Type.String() }, { title: 'VolumeLink' }));

/** A page of a list: the link to the next where there is one, and how many there are in all where that was asked (from 3.45). */
export const page = (key: string, schema: TSchema, links = `${key}_links`) =>
  Type.Object({ [key]: Type.Array(schema), [links]: Type.Optional(Links), count: Type.Optional(Type.Integer()) });
