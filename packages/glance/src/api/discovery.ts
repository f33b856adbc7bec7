import { AUTHENTICATED } from '@cairn/kit/http/operation';
import { jsonSchema, usageAnswer } from './answers/info.ts';
import { collection, IMAGE_SCHEMAS, UUID } from './image-schema.ts';
import { op } from './op.ts';

const TASK_STUB = {
  name: 'task',
  properties: {
    id: { description: 'An identifier for the task', pattern: UUID, type: 'string' },
    type: { description: 'The type of task represented by this content', enum: ['import', 'api_image_import', 'location_import'], type: 'string' },
    status: { description: 'The current status of this task', enum: ['pending', 'processing', 'success', 'failure'], type: 'string' },
    owner: { description: 'An identifier for the owner of this task', type: 'string' },
    image_id: { description: 'Image associated with the task', type: 'string' },
    request_id: { description: 'Human-readable informative request-id', type: 'string' },
    user_id: { description: 'User associated with the task', type: 'string' },
    expires_at: { description: 'Datetime when this resource would be subject to removal', type: ['null', 'string'] },
    created_at: { description: 'Datetime when this resource was created', type: 'string' },
    updated_at: { description: 'Datetime when this resource was updated', type: 'string' },
    self: { readOnly: true, type: 'string' },
    schema: { readOnly: true, type: 'string' },
  },
};
const TASK = {
  name: 'task',
  properties: {
    ...TASK_STUB.properties,
    input: { description: 'The parameters required by task, JSON blob', type: ['null', 'object'] },
    result: { description: 'The result of current task, JSON blob', type: ['null', 'object'] },
    message: { description: 'Human-readable informative message only included when appropriate (usually on failure)', type: 'string' },
  },
};
const schema = (name: string, path: `/${string}`, document: object) =>
  op({ id: `glance.schema.${name}`, method: 'GET', path, summary: `JSON schema: ${name}`, policy: AUTHENTICATED, answer: jsonSchema, handle: () => document });

export const discoveryOperations = [
  ...Object.entries(IMAGE_SCHEMAS).map(([name, document]) => schema(name, `/v2/schemas/${name}`, document)),
  schema('task', '/v2/schemas/task', TASK),
  schema('tasks', '/v2/schemas/tasks', collection('tasks', TASK_STUB)),
  op({
    id: 'glance.info.usage',
    method: 'GET',
    path: '/v2/info/usage',
    answer: usageAnswer,
    summary: "The project's limits of images, and what it uses of them",
    policy: AUTHENTICATED,
    handle: async (app, req) => ({ usage: await app.quotas.usage(app.env.store.read, req.ctx) }),
  }),
];
