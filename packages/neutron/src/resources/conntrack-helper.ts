import Type from 'typebox';
import { toInt } from '../attributes/converters.ts';
import { defineResource } from '../attributes/resource.ts';
import { id, readOnly, textSchema } from '../attributes/standard.ts';
import { NOT_SPECIFIED } from '../attributes/attribute.ts';
import { range, string } from '../attributes/validators.ts';
import { pyStr } from '../net/python-text.ts';
import { protocolByName } from './protocols.ts';

const PORT_MAX = 65_535;
const HELPER_LENGTH = 64;

/** neutron_lib/api/definitions/l3_conntrack_helper.py */
export const CONNTRACK_HELPER = defineResource({
  name: 'conntrack_helper',
  ruleName: 'router_conntrack_helper',
  path: 'routers/{router_id}/conntrack_helpers',
  attributes: {
    id,
    project_id: {
      post: true,
      default: NOT_SPECIFIED,
      validate: string(255),
      visible: false,
      schema: textSchema('The project that owns the router.', 255),
    },
    protocol: protocolByName,
    port: {
      post: true,
      put: true,
      convert: toInt,
      validate: range(1, PORT_MAX),
      filter: true,
      sort: true,
      schema: Type.Integer({ minimum: 1, maximum: PORT_MAX, description: 'The port that such connections are made to.' }),
    },
    helper: {
      post: true,
      put: true,
      convert: pyStr,
      validate: string(HELPER_LENGTH),
      filter: true,
      sort: true,
      schema: textSchema('The helper of the kernel: `ftp`, `tftp`, `sip` ...', HELPER_LENGTH),
    },
  },
});

const SHOWN_BY_ROUTER = Type.Object({ protocol: Type.String(), port: Type.Integer(), helper: Type.String() });

/** What routers show of their conntrack helpers (expose-l3-conntrack-helper). */
export const conntrackHelpersOfRouter = readOnly('The conntrack helpers of the router.', Type.Array(SHOWN_BY_ROUTER), { default: null });
