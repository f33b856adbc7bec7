import { createAgents, deleteAgentById, getAgent, listAgents, updateAgentById } from '../app/agents.ts';
import { AGENT } from '../resources/agent.ts';
import { createOf, deleteOf, listOf, showOf, updateOf } from './verbs.ts';

export const agentOperations = [
  listOf(AGENT, 'List agents', listAgents),
  createOf(AGENT, 'Refused: agents come with their hosts', createAgents),
  showOf(AGENT, 'Show an agent', getAgent),
  updateOf(AGENT, 'Update an agent', updateAgentById),
  deleteOf(AGENT, 'Delete an agent', deleteAgentById),
];
