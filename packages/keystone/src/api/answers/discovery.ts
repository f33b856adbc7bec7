import Type from 'typebox';
import { text } from './envelope.ts';

/** Version documents, as JSON and as JSON home. */

const version = Type.Object(
  {
    id: text,
    status: text,
    updated: text,
    links: Type.Array(Type.Object({ rel: text, href: text })),
    'media-types': Type.Array(Type.Object({ base: text, type: text })),
  },
  { title: 'IdentityVersion' },
);
const home = Type.Object({ resources: Type.Record(text, Type.Any()) });

export const versionsAnswer = Type.Union([Type.Object({ versions: Type.Object({ values: Type.Array(version) }) }), home]);
export const versionAnswer = Type.Union([Type.Object({ version }), home]);
