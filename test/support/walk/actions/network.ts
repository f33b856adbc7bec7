import { type Actions, call, mine } from '../scene.ts';

export const NETWORK_ACTIONS: Actions = {
  'port create': [
    2,
    (scene) =>
      scene.state.ports.filter(mine).length < 6
        ? call(scene, 'POST', '/network/v2.0/ports', { port: { name: scene.name, network_id: scene.networkId } })
        : undefined,
  ],
  'port delete': [
    2,
    (scene) => {
      const found = scene.pick(scene.state.ports.filter((p) => mine(p) && !p.device_id));
      return found && call(scene, 'DELETE', `/network/v2.0/ports/${found.id}`);
    },
  ],
  'interface attach': [
    3,
    (scene) => {
      const to = scene.pick(scene.state.servers.filter((s) => ['ACTIVE', 'SHUTOFF', 'PAUSED'].includes(s.status)));
      const port = scene.pick([undefined, ...scene.state.ports.filter((p) => mine(p) && !p.device_id)]);
      return to && scene.state.ports.filter((p) => p.device_id === to.id).length < 4
        ? call(scene, 'POST', `/compute/v2.1/servers/${to.id}/os-interface`, {
            interfaceAttachment: port ? { port_id: port.id } : { net_id: scene.networkId },
          })
        : undefined;
    },
  ],
  'interface detach': [
    3,
    (scene) => {
      const port = scene.pick(scene.state.ports.filter((p) => p.device_owner.startsWith('compute:')));
      return port && call(scene, 'DELETE', `/compute/v2.1/servers/${port.device_id}/os-interface/${port.id}`);
    },
  ],
  'floating IP create': [
    2,
    (scene) => {
      const port = scene.pick(scene.state.ports.filter((p) => p.device_owner.startsWith('compute:')));
      return scene.state.floatingIps.length < 5
        ? call(scene, 'POST', '/network/v2.0/floatingips', { floatingip: { floating_network_id: scene.publicId, ...(port && { port_id: port.id }) } })
        : undefined;
    },
  ],
  'floating IP delete': [
    2,
    (scene) => {
      const found = scene.pick(scene.state.floatingIps);
      return found && call(scene, 'DELETE', `/network/v2.0/floatingips/${found.id}`);
    },
  ],
};
