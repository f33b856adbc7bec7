import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import { checkExtraSpec } from '../app/extra-specs.ts';
import { specsOf } from '../app/flavors.ts';
import { ExtraSpecs, GivenExtraSpec, GivenExtraSpecs, OneExtraSpec } from './answers/flavors.ts';
import { flavorId } from './flavors.ts';
import { op } from './op.ts';
import { json, object } from './schemas/types.ts';

const specs = {
  type: 'object',
  patternProperties: { '^[a-zA-Z0-9\\-_:. ]{1,255}$': { type: ['string', 'number'], maxLength: 255 } },
  additionalProperties: false,
};
const CREATE = object({ extra_specs: specs }, ['extra_specs']);
const UPDATE = json({ ...specs, minProperties: 1, maxProperties: 1 });

type Specs = Readonly<Record<string, string | number>>;

/** The specs as they are kept: texts. From 2.86 they are judged. */
function judged(req: Request<AnyBody>, given: Specs): Readonly<Record<string, string>> {
  const kept = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)]));
  for (const [key, value] of Object.entries(kept)) {
    if (value.length > 255) throw invalidInput('Invalid input received: extra_specs value has more than 255 characters.', { field: key });
    if (req.version.atLeast('2.86')) checkExtraSpec(key, value);
  }
  return kept;
}

export const flavorExtraSpecOperations = [
  op({
    id: 'nova.flavor-spec.list',
    method: 'GET',
    path: '/v2.1/flavors/{flavor_id}/os-extra_specs',
    summary: "List a flavor's extra specs",
    policy: 'os_compute_api:os-flavor-extra-specs:index',
    answer: ExtraSpecs,
    handle: async (app, req) => ({ extra_specs: specsOf(await app.flavors.get(app.deps.env.store.read, req.ctx, flavorId(req))) }),
  }),
  op({
    id: 'nova.flavor-spec.create',
    method: 'POST',
    path: '/v2.1/flavors/{flavor_id}/os-extra_specs',
    summary: 'Set extra specs',
    policy: 'os_compute_api:os-flavor-extra-specs:create',
    answer: GivenExtraSpecs,
    body: CREATE,
    async handle(app, req) {
      const body = req.body as { readonly extra_specs: Specs };
      await app.flavors.setSpecs(req.ctx, flavorId(req), judged(req, body.extra_specs));
      return body;
    },
  }),
  op({
    id: 'nova.flavor-spec.show',
    method: 'GET',
    path: '/v2.1/flavors/{flavor_id}/os-extra_specs/{key}',
    summary: 'Show an extra spec',
    policy: 'os_compute_api:os-flavor-extra-specs:show',
    answer: OneExtraSpec,
    async handle(app, req) {
      const key = req.params.key as string;
      const all = specsOf(await app.flavors.get(app.deps.env.store.read, req.ctx, flavorId(req)));
      if (!Object.hasOwn(all, key)) throw notFound(`Flavor ${flavorId(req)} has no extra specs with key ${key}.`);
      return { [key]: all[key] };
    },
  }),
  op({
    id: 'nova.flavor-spec.update',
    method: 'PUT',
    path: '/v2.1/flavors/{flavor_id}/os-extra_specs/{key}',
    summary: 'Change an extra spec',
    policy: 'os_compute_api:os-flavor-extra-specs:update',
    answer: GivenExtraSpec,
    body: UPDATE,
    async handle(app, req) {
      const body = req.body as Specs;
      const kept = judged(req, body);
      if (!Object.hasOwn(body, req.params.key as string)) throw invalidInput('Request body and URI mismatch');
      await app.flavors.setSpecs(req.ctx, flavorId(req), kept);
      return body;
    },
  }),
  op({
    id: 'nova.flavor-spec.delete',
    method: 'DELETE',
    path: '/v2.1/flavors/{flavor_id}/os-extra_specs/{key}',
    summary: 'Delete an extra spec',
    policy: 'os_compute_api:os-flavor-extra-specs:delete',
    answer: 'none',
    async handle(app, req) {
      await app.flavors.setSpecs(req.ctx, flavorId(req), { [req.params.key as string]: null });
      return new Reply(undefined);
    },
  }),
];
