import Type from 'typebox';
import { defineResource } from '../attributes/resource.ts';
import { toBoolean } from '../attributes/converters.ts';
import { id, readOnly, textSchema } from '../attributes/standard.ts';
import { DESCRIPTION_LENGTH, orNull, string } from '../attributes/validators.ts';

const listed = { filter: true, sort: true } as const;

/** neutron_lib/api/definitions/agent.py with availability_zone. */
export const AGENT = defineResource({
  name: 'agent',
  bulk: false,
  attributes: {
    id,
    agent_type: readOnly('What it does.', listed),
    binary: readOnly('The program.', listed),
    topic: readOnly('Where it listens.', { filter: true }),
    host: readOnly('The machine that it is on.', listed),
    admin_state_up: { put: true, convert: toBoolean, ...listed, schema: Type.Boolean({ description: 'Is new work given to it?' }) },
    created_at: readOnly('When it was first seen.'),
    started_at: readOnly('When it came last.'),
    heartbeat_timestamp: readOnly('When it was seen last.'),
    alive: readOnly('Is it there?', { filter: true, convert: toBoolean }),
    configurations: readOnly('How it is set up.'),
    description: {
      put: true,
      filter: true,
      validate: orNull(string(DESCRIPTION_LENGTH)),
      schema: textSchema('Human-readable description.', DESCRIPTION_LENGTH),
    },
    availability_zone: readOnly('Its availability zone.', { filter: true }),
  },
});
