import { Reply } from '@cairn/kit/http/operation';
import type { ExternalEvent } from '../app/external-events.ts';
import { TakenEvents } from './answers/hosts.ts';
import { op } from './op.ts';
import { object, uuid } from './schemas/types.ts';

const NAMES = ['network-changed', 'network-vif-plugged', 'network-vif-unplugged', 'network-vif-deleted'];
const form = (...more: readonly string[]) =>
  object(
    {
      events: {
        type: 'array',
        minItems: 1,
        items: object(
          {
            name: { type: 'string', enum: [...NAMES, ...more] },
            server_uuid: uuid,
            status: { type: 'string', enum: ['failed', 'completed', 'in-progress'] },
            tag: { type: 'string', maxLength: 255 },
          },
          ['name', 'server_uuid'],
        ),
      },
    },
    ['events'],
  );

export const externalEventOperations = [
  op({
    id: 'nova.external_event.create',
    method: 'POST',
    path: '/v2.1/os-server-external-events',
    summary: 'Tell of events of servers',
    policy: 'os_compute_api:os-server-external-events:create',
    answer: TakenEvents,
    body: [
      { from: '2.1', schema: form() },
      { from: '2.51', schema: form('volume-extended') },
      { from: '2.76', schema: form('volume-extended', 'power-update') },
      { from: '2.82', schema: form('volume-extended', 'power-update', 'accelerator-request-bound') },
      { from: '2.93', schema: form('volume-extended', 'power-update', 'accelerator-request-bound', 'volume-reimaged') },
    ],
    async handle(app, request) {
      const { events } = request.body as { readonly events: readonly ExternalEvent[] };
      const answers: (ExternalEvent & { readonly code: number })[] = [];
      for (const event of events) answers.push({ ...event, ...(await app.externalEvents.take(event, request.requestId, request.ctx.userId)) });
      return new Reply({ events: answers }, { status: answers.every(({ code }) => code === 200) ? 200 : 207 });
    },
  }),
];
