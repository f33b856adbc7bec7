import Type from 'typebox';
import { defineResource } from '../attributes/resource.ts';
import { toBoolean } from '../attributes/converters.ts';
import { id, nullable, readOnly, textSchema } from '../attributes/standard.ts';
import { DESCRIPTION_LENGTH, orNull, string } from '../attributes/validators.ts';

/** `2026-01-31 12:00:00` */
const TIME = Type.String({ format: 'date-time' });
const listed = { filter: true, sort: true } as const;

/** neutron_lib/api/definitions/agent.py with availability_zone. */
export const AGENT = defineResource({
  name: 'agent',
  title: 'NetworkAgent',
  bulk: false,
  attributes: {
    id,
    agent_type: readOnly('What it does.', Type.String(), listed),
    binary: readOnly('The program.', Type.String(), listed),
    topic: readOnly('Where it listens.', Type.String(), { filter: true }),
    host: readOnly('The machine that it is on.', Type.String(), listed),
    admin_state_up: { put: true, convert: toBoolean, ...listed, schema: Type.Boolean({ description: 'Is new work given to it?' }) },
    created_at: readOnly('When it was first seen.', TIME),
    started_at: readOnly('When it came last.', TIME),
    heartbeat_timestamp: readOnly('When it was seen last.', TIME),
    alive: readOnly('Is it there?', Type.Boolean(), { filter: true, convert: toBoolean }),
    configurations: readOnly(
      'How it is set up.',
      Type.Object({ tunnel_types: Type.Optional(Type.Array(Type.String())), tunneling_ip: Type.Optional(Type.String()) }),
    ),
    description: {
      put: true,
      filter: true,
      validate: orNull(string(DESCRIPTION_LENGTH)),
      schema: nullable(textSchema('Human-readable description.', DESCRIPTION_LENGTH)),
    },
    availability_zone: readOnly('Its availability zone.', Type.String(), { filter: true }),
    // of extension agent-resources-synced
    resources_synced: readOnly('Whether placement knows what it has; null where that is not told.', nullable(Type.Boolean())),
  },
});
