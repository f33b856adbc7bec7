import { updatePortById } from '../app/port-update.ts';
import { createPorts, deletePortById, getPort, listPorts } from '../app/ports.ts';
import { PORT } from '../resources/port.ts';
import { createOf, deleteOf, listOf, showOf, updateOf } from './verbs.ts';

export const portOperations = [
  listOf(PORT, 'List ports', listPorts),
  showOf(PORT, 'Show a port', getPort),
  createOf(PORT, 'Create ports', createPorts),
  updateOf(PORT, 'Update a port', updatePortById),
  deleteOf(PORT, 'Delete a port', deletePortById),
];
