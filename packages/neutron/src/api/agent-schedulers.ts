import { AUTHENTICATED, type Operation } from '@cairn/kit/http/operation';
import Type from 'typebox';
import {
  addDhcpNetwork,
  addL3Router,
  listDhcpAgents,
  listDhcpNetworks,
  listL3Agents,
  listL3Routers,
  removeDhcpNetwork,
  removeL3Router,
} from '../app/agent-schedulers.ts';
import type { NeutronApp } from '../app/deps.ts';
import { answerOf, shapesOf } from '../attributes/answer.ts';
import { nullable } from '../attributes/standard.ts';
import { methodNotAllowed, notImplemented } from '../errors.ts';
import { AGENT } from '../resources/agent.ts';
import { NETWORK } from '../resources/network.ts';
import { ROUTER } from '../resources/router.ts';
import { op } from './op.ts';

type Subject = 'network' | 'router';

const AT: Readonly<Record<Subject, { readonly path: string; readonly agents: string; readonly member: string }>> = {
  network: { path: 'dhcp-networks', agents: 'dhcp-agents', member: 'dhcp-network' },
  router: { path: 'l3-routers', agents: 'l3-agents', member: 'l3-router' },
};

/** An agent with what it is to a router that has a stand-by. */
const L3_AGENT = Type.Object({ ...shapesOf(AGENT.attributes), ha_state: nullable(Type.String()) });

/** What an agent serves of a kind, and who serves one of it. */
function schedulerOf(subject: Subject): Operation<NeutronApp>[] {
  const { path, agents, member } = AT[subject];
  const isNetwork = subject === 'network';
  const at = `/v2.0/agents/{agent_id}/${path}` as const;
  return [
    op({
      id: `neutron.${member}.list`,
      method: 'GET',
      path: at,
      summary: `List the ${subject}s of an agent`,
      policy: AUTHENTICATED,
      asks: `get_${path}`,
      answer: Type.Object({ [`${subject}s`]: Type.Array(answerOf(isNetwork ? NETWORK : ROUTER)) }),
      handle: (app, req) => (isNetwork ? listDhcpNetworks : listL3Routers)(app, req.ctx, req.params.agent_id as string),
    }),
    op({
      id: `neutron.${member}.create`,
      method: 'POST',
      path: at,
      summary: `Give a ${subject} to an agent`,
      policy: AUTHENTICATED,
      asks: `create_${member}`,
      success: 201,
      answer: Type.Null(),
      body: Type.Object({ [`${subject}_id`]: Type.String({ format: 'uuid' }) }),
      validation: 'handler',
      async handle(app, req) {
        await (isNetwork ? addDhcpNetwork : addL3Router)(app, req.ctx, req.params.agent_id as string, req.body);
        return null;
      },
    }),
    op({
      id: `neutron.${member}.delete`,
      method: 'DELETE',
      path: `${at}/{id}`,
      summary: `Take a ${subject} from an agent`,
      policy: AUTHENTICATED,
      asks: `delete_${member}`,
      success: 204,
      answer: 'none',
      handle: (app, req) => (isNetwork ? removeDhcpNetwork : removeL3Router)(app, req.ctx, req.params.agent_id as string, req.params.id as string),
    }),
    op({
      id: `neutron.${agents.replace(/s$/, '')}.list`,
      method: 'GET',
      path: `/v2.0/${subject}s/{id}/${agents}`,
      summary: `List the agents that serve a ${subject}`,
      policy: AUTHENTICATED,
      asks: `get_${agents}`,
      answer: Type.Object({ agents: Type.Array(isNetwork ? answerOf(AGENT) : L3_AGENT) }),
      handle: (app, req) => (isNetwork ? listDhcpAgents : listL3Agents)(app, req.ctx, req.params.id as string),
    }),
  ];
}

/** Upstream has the path, and nothing that may be done there. */
const refused = (method: 'GET' | 'PUT' | 'DELETE', subject: Subject): Operation<NeutronApp> => {
  const { agents } = AT[subject];
  return op({
    id: `neutron.${agents.replace(/s$/, '')}.${{ GET: 'show', PUT: 'update', DELETE: 'delete' }[method]}`,
    method,
    path: `/v2.0/${subject}s/{id}/${agents}/{agent_id}`,
    summary: `Refused: agents that serve a ${subject} are listed, and changed where agents are`,
    policy: AUTHENTICATED,
    asks: `get_${agents}`,
    answer: 'none',
    handle: () => {
      throw methodNotAllowed();
    },
  });
};

/** Moving a router's chassis priority is OVN's (neutron/db/l3_agentschedulers_db.py); 501 elsewhere. */
const updateL3Router = op({
  id: 'neutron.l3-router.update',
  method: 'PUT',
  path: '/v2.0/agents/{agent_id}/l3-routers/{id}',
  summary: 'Refused: routers have no priorities among agents here',
  policy: 'update_l3-router',
  body: Type.Object({ ha_chassis_priority: Type.Optional(Type.Integer()) }),
  validation: 'handler',
  answer: 'none',
  handle: () => {
    throw notImplemented('Updating a router in an L3 agent is not supported for this backend');
  },
});

const SUBJECTS: readonly Subject[] = ['network', 'router'];

export const agentSchedulerOperations = [
  ...SUBJECTS.flatMap(schedulerOf),
  ...SUBJECTS.flatMap((subject) => (['GET', 'PUT', 'DELETE'] as const).map((method) => refused(method, subject))),
  updateL3Router,
];
