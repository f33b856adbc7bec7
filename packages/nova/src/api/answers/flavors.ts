import { dictionary, inside, named } from '@cairn/kit/http/answers';
import Type from 'typebox';
import { Links, page, TextOrNull } from './common.ts';

const flavor = {
  id: Type.String(),
  name: Type.String(),
  ram: Type.Integer(),
  disk: Type.Integer(),
  'OS-FLV-EXT-DATA:ephemeral': Type.Integer(),
  vcpus: Type.Integer(),
  'os-flavor-access:is_public': Type.Boolean(),
  links: Links,
  description: TextOrNull,
  extra_specs: Type.Optional(dictionary(Type.String())),
};
const Flavor = named('Flavor', { ...flavor, swap: Type.Integer() });
/** Before 2.75 no swap is an empty text. */
const OldFlavor = Type.Object({ ...flavor, swap: Type.Union([Type.Integer(), Type.Literal('')]) });
const FlavorSummary = named('FlavorSummary', { id: Type.String(), name: Type.String(), links: Links, description: TextOrNull });

export const FlavorList = page('flavors', FlavorSummary);
export const FlavorDetailList = [
  { from: '2.1', schema: page('flavors', OldFlavor) },
  { from: '2.75', schema: page('flavors', Flavor) },
];
export const OneFlavor = [
  { from: '2.1', schema: inside('flavor', OldFlavor) },
  { from: '2.75', schema: inside('flavor', Flavor) },
];
export const FlavorAccess = inside('flavor_access', Type.Array(named('FlavorAccess', { flavor_id: Type.String(), tenant_id: Type.String() })));
export const ExtraSpecs = inside('extra_specs', dictionary(Type.String()));
/** What was sent, which may be numbers. */
export const GivenExtraSpecs = inside('extra_specs', dictionary(Type.Union([Type.String(), Type.Number()])));
export const OneExtraSpec = dictionary(Type.String());
export const GivenExtraSpec = dictionary(Type.Union([Type.String(), Type.Number()]));
