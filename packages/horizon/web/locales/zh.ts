import type { Catalogue } from './en.ts';
import { admin } from './zh/admin.ts';
import { common } from './zh/common.ts';
import { compute } from './zh/compute.ts';
import { identity } from './zh/identity.ts';
import { network } from './zh/network.ts';
import { overview } from './zh/overview.ts';
import { parts } from './zh/parts.ts';
import { path } from './zh/path.ts';
import { routing } from './zh/routing.ts';
import { server } from './zh/server.ts';
import { storage } from './zh/storage.ts';

/** 控制台的简体中文文字。 */
export const zh: Catalogue = {
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
};
