import { isoMicros } from '@cairn/kit/clock/clock';
import { Type } from 'typebox';
import type { ServerUsage } from '../app/server-usage.ts';
import { op } from './op.ts';
import { last } from './query.ts';
import { object, uuid } from './schemas/types.ts';

/** The most servers of one question: a page of a list. */
const MAX_SERVERS = 100;

const query = object(
  {
    server_id: { anyOf: [uuid, { type: 'array', items: uuid, maxItems: MAX_SERVERS }] },
    since: { type: 'string', format: 'date-time' },
  },
  ['server_id'],
);

const sample = Type.Object(
  { at: Type.String(), cpu_percent: Type.Union([Type.Number(), Type.Null()]), memory_mb: Type.Number() },
  { title: 'ServerUsageSample' },
);
const answer = Type.Object({ usages: Type.Array(Type.Object({ server_id: Type.String(), samples: Type.Array(sample) }, { title: 'RecentServerUsage' })) });

const usageView = ({ serverId, points }: ServerUsage): object => ({
  server_id: serverId,
  samples: points.map(({ atMs, cpuPercent, memoryMb }) => ({ at: isoMicros(atMs), cpu_percent: cpuPercent, memory_mb: memoryMb })),
});

/** Cairn's own, not upstream's: what servers used in the last half hour, every 10 s (docs/design/0025). */
export const serverUsageOperations = [
  op({
    id: 'nova.server_usage.list',
    method: 'GET',
    path: '/v2.1/os-cairn-usage',
    summary: 'List what servers have used of late',
    policy: 'os_compute_api:os-cairn-usage',
    query,
    answer,
    async handle(app, request) {
      const since = last(request, 'since');
      const usages = await app.serverUsages.list(request, request.query.getAll('server_id'), since === undefined ? 0 : Date.parse(since));
      return { usages: usages.map(usageView) };
    },
  }),
];
