import { notFound } from '@cairn/kit/errors/errors';
import { op } from './op.ts';

/** v2.1 has no extensions any more; the list that clients still ask for names what was one once (nova/api/openstack/compute/extension_info.py). */
const ALIASES: readonly (readonly [string, string])[] = [
  ['os-availability-zone', 'AvailabilityZone'],
  ['os-extended-volumes', 'ExtendedVolumes'],
  ['os-flavor-access', 'FlavorAccess'],
  ['os-flavor-extra-specs', 'FlavorExtraSpecs'],
  ['os-hypervisors', 'Hypervisors'],
  ['os-instance-actions', 'InstanceActions'],
  ['os-interface', 'AttachInterfaces'],
  ['os-attach-interfaces', 'AttachInterfaces'],
  ['os-keypairs', 'Keypairs'],
  ['os-quota-sets', 'Quotas'],
  ['os-server-groups', 'ServerGroups'],
  ['os-services', 'Services'],
  ['os-volumes', 'Volumes'],
  ['os-multiple-create', 'MultipleCreate'],
  ['os-config-drive', 'ConfigDrive'],
  ['os-scheduler-hints', 'SchedulerHints'],
  ['os-security-groups', 'SecurityGroups'],
];
const view = ([alias, name]: readonly [string, string]) => ({ alias, description: '', links: [], name, namespace: 'http://docs.openstack.org/compute/ext/fake_xml', updated: '2014-12-03T00:00:00Z' });

export const extensionOperations = [
  op({ id: 'nova.extension.list', method: 'GET', path: '/v2.1/extensions', summary: 'List extensions', policy: 'os_compute_api:extensions', handle: () => ({ extensions: ALIASES.map(view) }) }),
  op({
    id: 'nova.extension.show',
    method: 'GET',
    path: '/v2.1/extensions/{alias}',
    summary: 'Show an extension',
    policy: 'os_compute_api:extensions',
    handle(_app, req) {
      const found = ALIASES.find(([alias]) => alias === req.params.alias);
      if (!found) throw notFound('The resource could not be found.');
      return { extension: view(found) };
    },
  }),
];
