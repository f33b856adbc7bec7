import '@xyflow/react/dist/style.css';
import './topology.css';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import {
  Background,
  Controls,
  type Edge,
  Handle,
  MiniMap,
  type Node,
  type NodeChange,
  type NodeProps,
  Position,
  ReactFlow,
  useNodesState,
} from '@xyflow/react';
import { useEffect, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { ChoiceField } from '../parts/fields.tsx';
import { useKept } from '../parts/kept.ts';
import { PageLink } from '../parts/page-link.tsx';
import { Status } from '../parts/status.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { useServers } from '../servers/queries.ts';
import { useSession } from '../session/session.ts';
import { useDark } from '../theme.ts';
import { called, floatingIpsQuery, networksQuery, portsQuery, routersQuery, subnetsQuery } from './queries.ts';
import { type NodeKind, type TopologyNode, topologyOf } from './topology-model.ts';

type ResourceNode = Node<Pick<TopologyNode, 'kind' | 'name' | 'status' | 'facts' | 'floating'>, 'resource'>;
const PAGES: Readonly<Record<NodeKind, string>> = { network: '/networks', router: '/routers', server: '/servers' };

function ResourceBox({ id, data }: NodeProps<ResourceNode>) {
  const { t } = useTranslation();
  return (
    <div className={`node node-${data.kind}`}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <Box variant="small">{t(`kinds.${data.kind}`)}</Box>
      <div className="node-name nodrag">
        <PageLink to={`${PAGES[data.kind]}/${id}`}>{data.name}</PageLink>
      </div>
      {data.facts.map((fact) => (
        <div key={fact} className="node-fact">
          {fact}
        </div>
      ))}
      {data.floating.map((floating) => (
        <div key={floating.id} className="node-fact nodrag">
          <PageLink to={`/floating-ips/${floating.id}`}>{floating.address}</PageLink>
        </div>
      ))}
      <Status status={data.status} />
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}
const NODE_TYPES = { resource: ResourceBox };

/** Up to so many lines each says its addresses; beyond, those of what is chosen do. */
const FEW_LINES = 40;
/** From so many things on a small map helps to find one's way. */
const MANY_THINGS = 30;

type Places = Readonly<Record<string, { readonly x: number; readonly y: number }>>;
const isPlaces = (value: unknown): value is Places =>
  value !== null &&
  typeof value === 'object' &&
  Object.values(value).every((place) => typeof (place as { x?: unknown } | null)?.x === 'number' && typeof (place as { y?: unknown }).y === 'number');

/** The graph of what there is, once everything is known. */
function useGraph(networkId: string | undefined) {
  const networks = useQuery(networksQuery);
  const subnets = useQuery(subnetsQuery);
  const routers = useQuery(routersQuery);
  const ports = useQuery(portsQuery);
  const floatingIps = useQuery(floatingIpsQuery);
  const servers = useServers();
  const graph = useMemo(
    () =>
      networks.data && subnets.data && routers.data && ports.data && floatingIps.data && servers.data
        ? topologyOf(
            { networks: networks.data, subnets: subnets.data, routers: routers.data, ports: ports.data, floatingIps: floatingIps.data, servers: servers.data },
            networkId,
          )
        : undefined,
    [networks.data, subnets.data, routers.data, ports.data, floatingIps.data, servers.data, networkId],
  );
  return { graph, networks: networks.data };
}

/** The project's networks as a graph that can be moved about; ports and servers are drawn as they are now. */
export function TopologyPage() {
  const { network } = useSearch({ from: '/topology' });
  return <Topology key={network ?? ''} network={network} />;
}

function Topology({ network }: { readonly network: string | undefined }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const dark = useDark();
  const { session } = useSession();
  const { graph, networks } = useGraph(network);
  // where things were put, in this browser and by project; a picture of one network has places of its own
  const [places, keepPlaces] = useKept<Places>(`cairn.topology.${session.project?.id ?? ''}.${network ?? ''}`, {}, isPlaces);
  const [nodes, setNodes, onNodesChange] = useNodesState<ResourceNode>([]);
  useEffect(() => {
    if (graph === undefined) return;
    setNodes((before) => {
      const shown = new Map(before.map((node) => [node.id, node]));
      return graph.nodes.map(({ id, kind, name, status, facts, floating, x, y }) => {
        const { selected = false, dragging = false, position } = shown.get(id) ?? {};
        return {
          id,
          type: 'resource' as const,
          // what is in the user's hand stays there
          position: (dragging ? position : undefined) ?? places[id] ?? { x, y },
          data: { kind, name, status, facts, floating },
          ariaLabel: `${t(`kinds.${kind}`)} ${name}`,
          selected,
          dragging,
        };
      });
    });
  }, [graph, places, setNodes, t]);
  const changed = (changes: NodeChange<ResourceNode>[]): void => {
    onNodesChange(changes);
    const moved = changes.flatMap((change) =>
      change.type === 'position' && change.position && !change.dragging ? [[change.id, change.position] as const] : [],
    );
    if (moved.length > 0) keepPlaces({ ...places, ...Object.fromEntries(moved) });
  };
  const chosen = nodes
    .filter(({ selected }) => selected)
    .map(({ id }) => id)
    .join(' ');
  const edges = useMemo<Edge[]>(() => {
    const ids = new Set(chosen.split(' '));
    const few = (graph?.edges.length ?? 0) <= FEW_LINES;
    return (graph?.edges ?? []).map(({ id, from, to, label, up }) => {
      const isChosen = ids.has(from) || ids.has(to);
      return {
        id,
        source: from,
        target: to,
        ...((few || isChosen) && { label }),
        animated: !up,
        focusable: false,
        className: `${up ? 'edge-up' : 'edge-down'}${isChosen ? ' edge-chosen' : ''}`,
      };
    });
  }, [graph, chosen]);
  return (
    <Container
      header={
        <Header variant="h1" description={t('topology.help')}>
          {t('pages.topology')}
        </Header>
      }
      footer={<PageLink to="/networks">{t('topology.asTable')}</PageLink>}
    >
      <div className="topology-bar">
        <ChoiceField
          label={t('topology.show')}
          value={network ?? ''}
          set={(value) => void navigate({ to: '/topology', search: value === '' ? {} : { network: value }, replace: true })}
          choices={networks && [{ value: '', label: t('topology.everything') }, ...networks.map((each) => ({ value: each.id, label: called(each) }))]}
        />
        <Button disabled={Object.keys(places).length === 0} disabledReason={t('topology.notMoved')} onClick={() => keepPlaces({})}>
          {t('topology.arrange')}
        </Button>
      </div>
      {graph === undefined ? (
        <Waiting />
      ) : (
        <div className="topology">
          <ReactFlow<ResourceNode>
            nodes={nodes}
            edges={edges}
            nodeTypes={NODE_TYPES}
            onNodesChange={changed}
            onNodeDoubleClick={(_event, node) => void navigate({ to: `${PAGES[node.data.kind]}/${node.id}` })}
            colorMode={dark ? 'dark' : 'light'}
            nodesConnectable={false}
            deleteKeyCode={null}
            fitView
            minZoom={0.05}
            onlyRenderVisibleElements={graph.nodes.length > 200}
            ariaLabelConfig={{
              'node.a11yDescription.default': t('topology.nodeHelp'),
              'node.a11yDescription.keyboardDisabled': t('topology.nodeHelp'),
              'node.a11yDescription.ariaLiveMessage': ({ x, y }) => t('topology.moved', { x: Math.round(x), y: Math.round(y) }),
              'controls.ariaLabel': t('topology.controls'),
              'controls.zoomIn.ariaLabel': t('topology.zoomIn'),
              'controls.zoomOut.ariaLabel': t('topology.zoomOut'),
              'controls.fitView.ariaLabel': t('topology.fit'),
              'minimap.ariaLabel': t('topology.map'),
            }}
          >
            <Background />
            <Controls showInteractive={false} />
            {graph.nodes.length > MANY_THINGS && <MiniMap pannable zoomable />}
          </ReactFlow>
        </div>
      )}
    </Container>
  );
}
