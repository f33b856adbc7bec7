import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import type { Request } from '@cairn/kit/http/operation';
import { type ExtraSpecs, specsOf } from '../../app/types.ts';
import type { TypeRow } from '../../store/tables.ts';

/** Extra specs that everybody may see. */
export const VISIBLE_SPECS = ['RESKEY:availability_zones', 'multiattach', 'replication_enabled'];

/** All extra specs, or the part that tells nothing of the storage behind. */
export function seenSpecs(request: Request, type: TypeRow): ExtraSpecs {
  const specs = specsOf(type);
  if (request.allowed('volume_extension:types_extra_specs:read_sensitive')) return specs;
  return Object.fromEntries(VISIBLE_SPECS.flatMap((key) => (specs[key] === undefined ? [] : [[key, specs[key]]])));
}

/**
 * A type as the answer of `os-volume_upload_image` has it: upstream puts its whole record there, not a name (cinder/volume/api.py,
 * `copy_volume_to_image`). Of the extra specs there are those that the caller may see.
 */
export const recordOfType = (request: Request, type: TypeRow): object => ({
  created_at: isoNaiveMicros(type.created_at_ms),
  updated_at: type.updated_at_ms === null ? null : isoNaiveMicros(type.updated_at_ms),
  deleted_at: null,
  deleted: false,
  id: type.id,
  name: type.name,
  description: type.description,
  is_public: type.is_public === 1,
  extra_specs: seenSpecs(request, type),
  qos_specs_id: type.qos_specs_id,
});
