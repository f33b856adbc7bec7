import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLive } from '../live/live.tsx';
import type { Change } from '../live/stream.ts';
import { Time } from '../parts/time.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { type Flow, type FlowStep, flowOf, LANES } from './flow-model.ts';
import { actionQuery, actionsQuery } from './queries.ts';

/** While a step runs, how often it is looked at: its end alone writes an event. */
const LOOK_MS = 400;
const WIDTH = 900;
const TOP = 46;
const ROW = 46;
const LANE = WIDTH / LANES.length;
const centre = (step: Pick<FlowStep, 'lane'>): number => LANES.indexOf(step.lane) * LANE + LANE / 2;

/** How an action of a server came about: the services as columns, each step as it began and ended. Live while it runs. */
export function FlowTab({ serverId, busy }: { readonly serverId: string; readonly busy: boolean }) {
  const { t, i18n } = useTranslation();
  const actions = useQuery(actionsQuery(serverId));
  const [chosen, setChosen] = useState<string>();
  // what happens now, or else the way into life; another action when they ask
  const action = actions.data?.find(({ request_id }) => request_id === chosen) ?? (busy ? actions.data?.[0] : actions.data?.at(-1));
  const nameOf = (name: string): string => (i18n.exists(`instanceActions.${name}`) ? t(`instanceActions.${name}` as 'instanceActions.create') : name);
  if (actions.isPending) return <Waiting />;
  if (action === undefined) return <Box>{t('flow.none')}</Box>;
  return (
    <SpaceBetween size="m">
      <FormField label={t('flow.action')} description={t('flow.help')}>
        <Select
          selectedOption={{ value: action.request_id, label: nameOf(action.action) }}
          options={(actions.data ?? []).map(({ request_id, action: name, start_time }) => ({
            value: request_id,
            label: nameOf(name),
            description: start_time,
          }))}
          onChange={({ detail }) => setChosen(detail.selectedOption.value)}
        />
      </FormField>
      <ActionFlow serverId={serverId} requestId={action.request_id} />
    </SpaceBetween>
  );
}

function ActionFlow({ serverId, requestId }: { readonly serverId: string; readonly requestId: string }) {
  const { t } = useTranslation();
  const { data, isPending } = useQuery({
    ...actionQuery(serverId, requestId),
    refetchInterval: ({ state }) => (state.data === undefined || state.data.events.length === 0 || flowOf(state.data).finishMs === null ? LOOK_MS : false),
  });
  const changes = useChangesOf(requestId);
  if (isPending || data === undefined) return <Waiting />;
  const flow = flowOf(data);
  return (
    <SpaceBetween size="m">
      {flow.failed && (
        <Alert type="error" header={t('flow.failed')}>
          {data.message ?? flow.steps.find((step) => step.state === 'failed')?.details}
        </Alert>
      )}
      <Box color="text-body-secondary">
        {t('requestId', { id: requestId })} · <Time at={data.start_time} />
        {flow.finishMs !== null && ` · ${t('flow.took', { ms: Math.round(flow.finishMs - flow.startMs) })}`}
      </Box>
      <Picture flow={flow} />
      {changes.length > 0 && (
        <div>
          <Box variant="h3">{t('flow.events')}</Box>
          <ol>
            {changes.map((change) => (
              <li key={change.seq}>
                <Box variant="code">{change.type}</Box> {change.resource} {change.id} · <Time at={change.at} />
              </li>
            ))}
          </ol>
        </div>
      )}
    </SpaceBetween>
  );
}

/** What the cloud told of a request since the page was opened. */
function useChangesOf(requestId: string): readonly Change[] {
  const live = useLive();
  const [changes, setChanges] = useState<readonly Change[]>([]);
  useEffect(() => {
    setChanges(live.recent().filter((change) => change.request_id === requestId));
    return live.subscribe((change) => {
      if (change.request_id === requestId) setChanges((before) => [...before, change]);
    });
  }, [live, requestId]);
  return changes;
}

/** Text for readers of the picture who do not see it is in the same list, below it. */
function Picture({ flow }: { readonly flow: Flow }) {
  const { t, i18n } = useTranslation();
  const stepName = (name: string): string =>
    i18n.exists(`steps.${name}`) ? t(`steps.${name}` as 'steps.request') : name.replace(/^compute_/, '').replaceAll('_', ' ');
  const height = TOP + flow.steps.length * ROW + 12;
  const timing = (step: FlowStep): string =>
    step.finishMs === null
      ? t('flow.running')
      : t('flow.timing', { from: Math.round(step.startMs - flow.startMs), ms: Math.round(step.finishMs - step.startMs) });
  return (
    <div className="flow">
      <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={t('flow.picture')}>
        {LANES.map((lane, index) => (
          <g key={lane}>
            <text x={index * LANE + LANE / 2} y={20} className="flow-lane">
              {t(`lanes.${lane}`)}
            </text>
            <line x1={index * LANE + LANE / 2} x2={index * LANE + LANE / 2} y1={30} y2={height} className="flow-line" />
          </g>
        ))}
        {flow.steps.map((step, index) => {
          const y = TOP + index * ROW;
          const before = flow.steps[index - 1];
          return (
            <g key={`${step.name} ${step.startMs}`} className={`flow-step flow-${step.state}`} data-step={step.name} data-state={step.state}>
              {before !== undefined && (
                <path
                  className="flow-arrow"
                  d={`M ${centre(before)} ${y - ROW + 34} C ${centre(before)} ${y}, ${centre(step)} ${y - 14}, ${centre(step)} ${y}`}
                />
              )}
              {step.with.map((lane) => (
                <rect key={lane} x={LANES.indexOf(lane) * LANE + LANE / 2 - 5} y={y} width={10} height={34} rx={5} className="flow-part" />
              ))}
              <rect x={centre(step) - 82} y={y} width={164} height={34} rx={6} className="flow-box" />
              <text x={centre(step)} y={y + 15} className="flow-name">
                {stepName(step.name)}
              </text>
              <text x={centre(step)} y={y + 28} className="flow-time">
                {timing(step)}
              </text>
            </g>
          );
        })}
      </svg>
      <ol className="flow-text">
        {flow.steps.map((step) => (
          <li key={`${step.name} ${step.startMs}`}>
            {t('flow.sentence', { lane: t(`lanes.${step.lane}`), step: stepName(step.name), timing: timing(step), state: t(`flow.${step.state}`) })}
            {step.details !== null && ` ${step.details}`}
          </li>
        ))}
      </ol>
    </div>
  );
}
