import { type Context, isAdmin } from '@cairn/kit/context/context';
import { CairnError } from '@cairn/kit/errors/errors';
import { isUuidLike } from '@cairn/kit/ids/ids';
import type { ListPage, ListQuery, ListRequest, ListSpec } from '@cairn/kit/store/list';
import type { Db } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { typeNotFound, typeNotFoundByName } from '../errors.ts';
import type { TypeRow } from '../store/tables.ts';
import { defaultTypeOf, openTo, pageOfTypes, privateOnly, typeById, typeByName, typeIsFor, TYPES } from '../store/types.ts';

/** Keeps the types of a list that have this extra spec; types by name, for those whom no scope binds. */
export { havingSpec, typeByName } from '../store/types.ts';

export type ExtraSpecs = Readonly<Record<string, string>>;

export const specsOf = (type: TypeRow): ExtraSpecs => fromJson<ExtraSpecs>(type.extra_specs);
/** Upstream's way of saying true in extra specs. */
export const isTrueSpec = (value: string | undefined): boolean => value === '<is> True';

/** What lists of types may ask for. */
export const TYPE_LIST: ListSpec<TypeRow> = { ...TYPES, unknownMarker: (marker) => typeNotFound(String(marker)) };

export const listTypes = (db: Db, request: ListRequest): Promise<ListPage<TypeRow>> => pageOfTypes(db, request, TYPE_LIST);

/** Which types a list shows: with `isPublic` those that the project may use, without it private ones, all when it is undefined. Only administrators choose. */
export function typeScope(ctx: Context, isPublic: boolean | undefined): (query: ListQuery) => ListQuery {
  if (!isAdmin(ctx) || isPublic === true) return openTo(ctx.projectId ?? '');
  return isPublic === undefined ? (query) => query : privateOnly;
}

/** The type if `ctx` may use it; NotFound otherwise. */
export async function getType(db: Db, ctx: Context, id: string): Promise<TypeRow> {
  const type = await typeById(db, id);
  if (!type || !(isAdmin(ctx) || (await typeIsFor(db, type, ctx.projectId)))) throw typeNotFound(id);
  return type;
}

/** By id or else by name, as `volume_type` of a request may be either. */
export async function getTypeByNameOrId(db: Db, ctx: Context, identity: string): Promise<TypeRow> {
  const byId = isUuidLike(identity) ? await typeById(db, identity) : undefined;
  const type = byId ?? (await typeByName(db, identity));
  if (!type || !(isAdmin(ctx) || (await typeIsFor(db, type, ctx.projectId))))
    throw isUuidLike(identity) ? typeNotFound(identity) : typeNotFoundByName(identity);
  return type;
}

/** What volumes of this project get when nobody names a type. */
export async function defaultType(db: Db, projectId: string | undefined, configured: string): Promise<TypeRow> {
  const own = projectId === undefined ? undefined : await defaultTypeOf(db, projectId);
  const type = own ? await typeById(db, own.type_id) : await typeByName(db, configured);
  if (!type)
    throw new CairnError('Unavailable', `The request cannot be fulfilled as the default volume type ${configured} cannot be found.`, {
      status: 500,
      type: 'VolumeTypeDefaultMisconfiguredError',
    });
  return type;
}

/** An extra spec may limit the size of volumes of a type (`provisioning:min_vol_size`, `provisioning:max_vol_size`). */
export function sizeProblem(type: TypeRow, sizeGb: number): string | undefined {
  const specs = specsOf(type);
  const [min, max] = [Number(specs['provisioning:min_vol_size']), Number(specs['provisioning:max_vol_size'])];
  if (Number.isFinite(min) && sizeGb < min)
    return `Specified volume size of '${sizeGb}' is less than the minimum required size of '${min}' for volume type '${type.name}'.`;
  if (Number.isFinite(max) && sizeGb > max)
    return `Specified volume size of '${sizeGb}' is greater than the maximum allowable size of '${max}' for volume type '${type.name}'.`;
  return undefined;
}

/** Zones that a type is bound to (`RESKEY:availability_zones`). */
export function zonesOfType(type: TypeRow): readonly string[] | undefined {
  const zones = specsOf(type)['RESKEY:availability_zones'];
  return zones === undefined ? undefined : zones.split(',').map((zone) => zone.trim());
}
