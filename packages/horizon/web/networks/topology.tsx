import '@xyflow/react/dist/style.css';
import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Background, Controls, type Edge, Handle, type Node, type NodeProps, Position, ReactFlow, useNodesState } from '@xyflow/react';
import { useEffect, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { PageLink } from '../parts/page-link.tsx';
import { Status } from '../parts/status.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { useServers } from '../servers/queries.ts';
import { useDark } from '../theme.ts';
import { networksQuery, portsQuery, routersQuery } from './queries.ts';
import { type NodeKind, topologyOf } from './topology-model.ts';

type ResourceNode = Node<{ readonly kind: NodeKind; readonly name: string; readonly status: string }, 'resource'>;

function ResourceBox({ data }: NodeProps<ResourceNode>) {
  const { t } = useTranslation();
  return (
    <div className={`node node-${data.kind}`}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <Box variant="small">{t(`kinds.${data.kind}`)}</Box>
      <div className="node-name">{data.name}</div>
      <Status status={data.status} />
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}
const NODE_TYPES = { resource: ResourceBox };

/** The project's networks as a graph that can be moved about; ports and servers are drawn as they are now. */
export function TopologyPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const dark = useDark();
  const networks = useQuery(networksQuery);
  const routers = useQuery(routersQuery);
  const ports = useQuery(portsQuery);
  const servers = useServers();
  const [nodes, setNodes, onNodesChange] = useNodesState<ResourceNode>([]);
  const graph = useMemo(
    () =>
      networks.data && routers.data && ports.data && servers.data
        ? topologyOf({ networks: networks.data, routers: routers.data, ports: ports.data, servers: servers.data })
        : undefined,
    [networks.data, routers.data, ports.data, servers.data],
  );
  useEffect(() => {
    if (graph === undefined) return;
    setNodes((before) => {
      // what was moved stays where it was put
      const places = new Map(before.map(({ id, position }) => [id, position]));
      return graph.nodes.map(({ id, kind, name, status, x, y }) => ({
        id,
        type: 'resource' as const,
        position: places.get(id) ?? { x, y },
        data: { kind, name, status },
        ariaLabel: `${t(`kinds.${kind}`)} ${name}`,
      }));
    });
  }, [graph, setNodes, t]);
  const edges = useMemo<Edge[]>(
    () =>
      (graph?.edges ?? []).map(({ id, from, to, label, up }) => ({
        id,
        source: from,
        target: to,
        label,
        animated: !up,
        className: up ? 'edge-up' : 'edge-down',
      })),
    [graph],
  );
  return (
    <Container
      header={
        <Header variant="h1" description={t('topology.help')}>
          {t('pages.topology')}
        </Header>
      }
      footer={<PageLink to="/networks">{t('topology.asTable')}</PageLink>}
    >
      {graph === undefined ? (
        <Waiting />
      ) : (
        <div className="topology">
          <ReactFlow<ResourceNode>
            nodes={nodes}
            edges={edges}
            nodeTypes={NODE_TYPES}
            onNodesChange={onNodesChange}
            onNodeDoubleClick={(_event, node) =>
              void (node.data.kind === 'server' ? navigate({ to: '/servers/$serverId', params: { serverId: node.id } }) : navigate({ to: '/networks' }))
            }
            colorMode={dark ? 'dark' : 'light'}
            nodesConnectable={false}
            deleteKeyCode={null}
            fitView
            minZoom={0.1}
            ariaLabelConfig={{
              'controls.ariaLabel': t('topology.controls'),
              'controls.zoomIn.ariaLabel': t('topology.zoomIn'),
              'controls.zoomOut.ariaLabel': t('topology.zoomOut'),
              'controls.fitView.ariaLabel': t('topology.fit'),
            }}
          >
            <Background />
            <Controls showInteractive={false} />
          </ReactFlow>
        </div>
      )}
    </Container>
  );
}
