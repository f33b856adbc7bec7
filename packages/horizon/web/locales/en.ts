import { admin } from './en/admin.ts';
import { common } from './en/common.ts';
import { compute } from './en/compute.ts';
import { identity } from './en/identity.ts';
import { network } from './en/network.ts';
import { overview } from './en/overview.ts';
import { parts } from './en/parts.ts';
import { path } from './en/path.ts';
import { routing } from './en/routing.ts';
import { server } from './en/server.ts';
import { storage } from './en/storage.ts';

/** The console's words in English, by area: a line each, so that areas can be added side by side. Every key is in every catalogue; `{{...}}` is filled in. */
const catalogue = {
  ...admin,
  ...common,
  ...compute,
  ...identity,
  ...network,
  ...overview,
  ...parts,
  ...path,
  ...routing,
  ...server,
  ...storage,
} as const;

type Words<T> = { readonly [K in keyof T]: T[K] extends string ? string : Words<T[K]> };
/** What every catalogue has. */
export type Catalogue = Words<typeof catalogue>;
export const en: Catalogue = catalogue;
