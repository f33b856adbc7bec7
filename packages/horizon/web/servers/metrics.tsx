import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { api } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';
import { bytesText } from '../parts/units.ts';
import { Waiting } from '../parts/waiting.tsx';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { courseOf, type Point, pointsOf, type Sample, sampleOf } from './metrics-model.ts';
import { askUsage, type Server } from './queries.ts';
import { USAGE_EVERY_MS } from './usage-feed.ts';

/** How often the host is asked, and how many answers are drawn. */
const LOOK_MS = 3_000;
const KEPT = 200;
const COLOURS = ['#0972d3', '#e07f00'];

type Measure = 'cpuPercent' | 'memoryMib' | 'received' | 'sent' | 'read' | 'written';
const CHARTS: readonly {
  readonly id: 'cpu' | 'memory' | 'network' | 'disk';
  readonly measures: readonly Measure[];
  readonly text: (value: number) => string;
  /** Hosts remember it, for everybody who may see the server. */
  readonly isSampled: boolean;
}[] = [
  { id: 'cpu', measures: ['cpuPercent'], text: (value) => `${Math.round(value * 10) / 10} %`, isSampled: true },
  { id: 'memory', measures: ['memoryMib'], text: (value) => bytesText(value * 2 ** 20), isSampled: true },
  { id: 'network', measures: ['received', 'sent'], text: (value) => `${bytesText(Math.round(value))}/s`, isSampled: false },
  { id: 'disk', measures: ['read', 'written'], text: (value) => `${bytesText(Math.round(value))}/s`, isSampled: false },
];

/**
 * What the guest uses: the last half hour from its host's samples, then the host's own counters as long as somebody looks. Those are administrators' alone
 * by upstream's policy: others see the samples, and are told so.
 */
export function MetricsTab({ server }: { readonly server: Server }) {
  const { t } = useTranslation();
  const runs = server['OS-EXT-STS:power_state'] === 1;
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  const { data, error, refetch } = useQuery({
    queryKey: ['diagnostics', server.id],
    queryFn: ({ signal }) => api<'nova.server.diagnostics'>('compute', `/v2.1/servers/${encodeURIComponent(server.id)}/diagnostics`, { signal }),
    // a refusal stays one until it is asked for again
    refetchInterval: ({ state }) => (state.error === null ? LOOK_MS : false),
    retry: false,
    enabled: runs,
    gcTime: 0,
    structuralSharing: false,
  });
  useEffect(() => {
    if (data !== undefined) setSamples((before) => [...before, sampleOf(data, Date.now())].slice(-KEPT));
  }, [data]);
  const isRefused = error instanceof ApiError && error.status === 403;
  const { data: past } = useQuery({
    queryKey: ['usage', server.id],
    queryFn: async () => (await askUsage([server.id], 0)).get(server.id) ?? [],
    refetchInterval: isRefused ? USAGE_EVERY_MS : false,
    retry: false,
    enabled: runs,
    gcTime: 0,
  });
  const points = useMemo(() => courseOf(past ?? [], pointsOf(samples)), [past, samples]);

  if (!runs) return <Alert type="info">{t('metrics.off')}</Alert>;
  if (error !== null && !isRefused)
    return (
      <Alert type="warning" action={<Button onClick={() => void refetch()}>{t('table.again')}</Button>}>
        {error.message}
      </Alert>
    );
  if (data === undefined && past === undefined && !isRefused) return <Waiting />;
  const charts = CHARTS.filter(({ isSampled }) => isSampled || !isRefused);
  return (
    <SpaceBetween size="m">
      {isRefused && <Alert type="info">{t('metrics.refused')}</Alert>}
      <ColumnLayout columns={2}>
        {charts.map((chart) => (
          <Container key={chart.id} header={<Header variant="h2">{t(`metrics.${chart.id}`)}</Header>}>
            <Chart points={points} measures={chart.measures} text={chart.text} />
          </Container>
        ))}
      </ColumnLayout>
    </SpaceBetween>
  );
}

interface ChartProps {
  readonly points: readonly Point[];
  readonly measures: readonly Measure[];
  readonly text: (value: number) => string;
}

function Chart({ points, measures, text }: ChartProps) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const data = useMemo(
    (): uPlot.AlignedData => [points.map(({ atSec }) => atSec), ...measures.map((measure) => points.map((point) => point[measure]))],
    [points, measures],
  );
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const ink = getComputedStyle(element).color;
    const axis = { stroke: ink, grid: { stroke: '#8c8c9433' }, ticks: { stroke: '#8c8c9433' } };
    const drawn = new uPlot(
      {
        width: Math.max(200, element.clientWidth),
        height: 180,
        legend: { show: false },
        cursor: { show: false },
        scales: { y: { range: (_plot, _min, max) => [0, Math.max(max, 1)] } },
        axes: [axis, { ...axis, size: 80, values: (_plot, values) => values.map(text) }],
        series: [{}, ...measures.map((_measure, index) => ({ stroke: COLOURS[index] ?? ink, width: 2 }))],
      },
      [[], ...measures.map(() => [])],
      element,
    );
    plot.current = drawn;
    const resized = new ResizeObserver(() => drawn.setSize({ width: Math.max(200, element.clientWidth), height: 180 }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      drawn.destroy();
    };
  }, [measures, text]);
  useEffect(() => plot.current?.setData(data), [data]);

  const last = points.at(-1);
  return (
    <>
      <div ref={box} aria-hidden="true" />
      <Box>
        {measures.map((measure, index) => {
          const value = last?.[measure];
          return (
            <div key={measure} className={`series series-${index}`} data-measure={measure}>
              {t(`metrics.${measure}`, { value: value === null || value === undefined ? '–' : text(value) })}
            </div>
          );
        })}
      </Box>
    </>
  );
}
