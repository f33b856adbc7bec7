import { dictionary, inside, named, nullable } from '@cairn/kit/http/answers';
import Type from 'typebox';
import { Links, page, TextOrNull, Time, TimeOrNull } from './common.ts';

/** Volume types, their specs, QoS and encryption, and types of groups. */

const managed = {
  id: Type.String(),
  name: Type.String(),
  is_public: Type.Boolean(),
  description: TextOrNull,
};
const Specs = dictionary(Type.String());
/** What was sent; null takes a spec away. */
const GivenSpecs = dictionary(TextOrNull);
const VolumeType = named('VolumeType', {
  ...managed,
  extra_specs: Type.Optional(Specs),
  qos_specs_id: Type.Optional(TextOrNull),
  'os-volume-type-access:is_public': Type.Optional(Type.Boolean()),
});
/** The whole record, where upstream's answer holds one. */
export const TypeRecord = named('VolumeTypeRecord', {
  ...managed,
  created_at: Time,
  updated_at: TimeOrNull,
  deleted_at: TimeOrNull,
  deleted: Type.Boolean(),
  extra_specs: Specs,
  qos_specs_id: TextOrNull,
});
export const TypeList = page('volume_types', VolumeType, 'volume_type_links');
export const OneType = inside('volume_type', VolumeType);
export const TypeExtraSpecs = inside('extra_specs', Specs);
export const GivenExtraSpecs = inside('extra_specs', GivenSpecs);
export const OneSpec = Specs;
export const GivenSpec = GivenSpecs;
export const TypeAccess = inside('volume_type_access', Type.Array(Type.Object({ volume_type_id: Type.String(), project_id: Type.String() })));
const Default = named('DefaultVolumeType', { project_id: Type.String(), volume_type_id: Type.String() });
export const DefaultTypes = inside('default_types', Type.Array(Default));
export const DefaultType = inside('default_type', Default);

const Qos = named('VolumeQos', { id: Type.String(), name: Type.String(), consumer: Type.String(), specs: Specs });
export const QosList = page('qos_specs', Qos);
export const OneQos = Type.Object({ qos_specs: Qos, links: Links });
/** What was sent. */
export const GivenQos = inside('qos_specs', dictionary(Type.Unknown()));
export const QosAssociations = inside('qos_associations', Type.Array(Type.Object({ association_type: Type.String(), name: Type.String(), id: Type.String() })));

/** Empty for a type without encryption. */
export const Encryption = named('VolumeTypeEncryption', {
  volume_type_id: Type.Optional(Type.String()),
  control_location: Type.Optional(Type.String()),
  deleted: Type.Optional(Type.Boolean()),
  created_at: Type.Optional(Time),
  updated_at: Type.Optional(TimeOrNull),
  deleted_at: Type.Optional(TimeOrNull),
  encryption_id: Type.Optional(Type.String()),
  key_size: Type.Optional(nullable(Type.Integer())),
  provider: Type.Optional(Type.String()),
  cipher: Type.Optional(TextOrNull),
});
/** What was sent, with ids. */
export const GivenEncryption = inside('encryption', dictionary(Type.Unknown()));
export const EncryptionItem = dictionary(Type.Unknown());

const GroupType = named('VolumeGroupType', { ...managed, group_specs: Type.Optional(Specs) });
export const GroupTypeList = page('group_types', GroupType, 'group_type_links');
export const OneGroupType = inside('group_type', GroupType);
export const GroupSpecs = inside('group_specs', Specs);
export const GivenGroupSpecs = inside('group_specs', GivenSpecs);
