import { createHash } from 'node:crypto';
import { isoNaiveMicros, isoSeconds } from '@cairn/kit/clock/clock';
import { isAdmin } from '@cairn/kit/context/context';
import type { Request } from '@cairn/kit/http/operation';
import { targetOf } from '../../app/caller.ts';
import { knownImageProperties } from '../../app/image-properties.ts';
import type { ServerDetails } from '../../app/server-details.ts';
import { faultOf, flavorOf, imageOf, instanceName, metadataOf } from '../../app/server-rows.ts';
import { statusOf } from '../../app/server-states.ts';
import { trustedCertificatesOf } from '../../app/trusted-certificates.ts';
import type { ServerRow } from '../../store/server.ts';
import { addressesView } from './addresses.ts';
import { bookmarkHref, linksOf } from './links.ts';

const PROGRESS_STATUSES = new Set(['ACTIVE', 'BUILD', 'REBUILD', 'RESIZE', 'VERIFY_RESIZE', 'MIGRATING']);

/** `{ id, name, links }`. */
export const serverBasic = (request: Request, row: Pick<ServerRow, 'id' | 'name'>) => ({
  id: row.id,
  name: row.name,
  links: linksOf(request, 'servers', row.id),
});

/** What a view of one server shows besides its core; PUT showed less before 2.75. */
export interface ServerViewOptions {
  /** Everything that GET shows. */
  readonly all: boolean;
  /** From 2.71, but not in lists. */
  readonly groups: boolean;
}

/** The whole server at the request's microversion (nova/api/openstack/compute/views/servers.py, show). */
export function serverView(request: Request, details: ServerDetails, options: ServerViewOptions): object {
  const { row } = details;
  const { version } = request;
  const { all } = options;
  const status = statusOf(row);
  const target = targetOf(row);
  const fault = status === 'ERROR' || status === 'DELETED' ? faultView(request, row) : undefined;
  const extendedAttributes = all && request.allowed('os_compute_api:os-extended-server-attributes', target);
  const groups = details.ports.flatMap((port) => port.securityGroups.map((group) => ({ name: group.name === '' ? group.id : group.name })));
  return {
    id: row.id,
    name: row.name,
    status,
    tenant_id: row.project_id,
    user_id: row.user_id,
    metadata: metadataOf(row),
    hostId: hostIdOf(row),
    image:
      row.image_id === ''
        ? ''
        : {
            id: row.image_id,
            links: [{ rel: 'bookmark', href: bookmarkHref(request, 'images', row.image_id) }],
            ...(version.atLeast('2.98') ? { properties: knownImageProperties(imageOf(row).properties) } : {}),
          },
    flavor: flavorView(request, row, target),
    created: isoSeconds(row.created_at_ms),
    updated: isoSeconds(row.updated_at_ms),
    addresses: row.vm_state === 'building' ? {} : addressesView(details.ports, all),
    accessIPv4: row.access_ip_v4 ?? '',
    accessIPv6: row.access_ip_v6 ?? '',
    links: linksOf(request, 'servers', row.id),
    'OS-DCF:diskConfig': row.auto_disk_config === 1 ? 'AUTO' : 'MANUAL',
    ...(fault === undefined ? {} : { fault }),
    ...(PROGRESS_STATUSES.has(status) ? { progress: 0 } : {}),
    ...(all
      ? {
          'OS-EXT-AZ:availability_zone': row.availability_zone ?? '',
          config_drive: row.config_drive === 1 ? 'True' : '',
          key_name: row.key_name,
          'OS-SRV-USG:launched_at': row.launched_at_ms === null ? null : isoNaiveMicros(row.launched_at_ms),
          'OS-SRV-USG:terminated_at': row.terminated_at_ms === null ? null : isoNaiveMicros(row.terminated_at_ms),
          ...(groups.length === 0 ? {} : { security_groups: groups }),
        }
      : {}),
    ...(extendedAttributes ? extendedView(request, row) : {}),
    ...(all
      ? {
          'OS-EXT-STS:task_state': row.task_state,
          'OS-EXT-STS:vm_state': row.vm_state,
          'OS-EXT-STS:power_state': row.power_state,
          'os-extended-volumes:volumes_attached': details.devices
            .filter((device) => device.volume_id !== null)
            .map((device) => ({ id: device.volume_id, ...(version.atLeast('2.3') ? { delete_on_termination: device.delete_on_termination === 1 } : {}) })),
        }
      : {}),
    ...(version.atLeast('2.9') ? { locked: row.locked_by !== null } : {}),
    ...(all && version.atLeast('2.16') ? hostStatusView(request, details, target) : {}),
    ...(version.atLeast('2.19') ? { description: row.description } : {}),
    ...(version.atLeast('2.26') ? { tags: details.tags } : {}),
    ...(version.atLeast('2.63') ? { trusted_image_certificates: trustedCertificatesOf(row) } : {}),
    ...(options.groups && version.atLeast('2.71') ? { server_groups: details.groupId === undefined ? [] : [details.groupId] } : {}),
    ...(version.atLeast('2.73') ? { locked_reason: row.locked_reason } : {}),
    ...(version.atLeast('2.90') && !extendedAttributes ? { 'OS-EXT-SRV-ATTR:hostname': row.hostname } : {}),
    ...(all && version.atLeast('2.96') ? { pinned_availability_zone: row.pinned_az } : {}),
    ...(version.atLeast('2.100') ? { scheduler_hints: hintsView(row) } : {}),
  };
}

/** The request's hints, each a list as the scheduler keeps them. */
const hintsView = (row: Pick<ServerRow, 'hints_json'>): object =>
  Object.fromEntries(
    Object.entries(JSON.parse(row.hints_json) as Readonly<Record<string, unknown>>).map(([hint, value]) => [hint, Array.isArray(value) ? value : [value]]),
  );

/** An obfuscated host, the same for all servers of a project on it (nova/utils.py, generate_hostid). */
export function hostIdOf(row: { readonly host: string | null; readonly project_id: string }): string {
  return row.host === null
    ? ''
    : createHash('sha224')
        .update(row.project_id + row.host)
        .digest('hex');
}

function flavorView(request: Request, row: ServerRow, target: Readonly<Record<string, unknown>>): object {
  const flavor = flavorOf(row);
  if (request.version.before('2.47')) return { id: flavor.id, links: [{ rel: 'bookmark', href: bookmarkHref(request, 'flavors', flavor.id) }] };
  return {
    vcpus: flavor.vcpus,
    ram: flavor.memoryMb,
    disk: flavor.rootGb,
    ephemeral: flavor.ephemeralGb,
    swap: flavor.swapMb,
    original_name: flavor.name,
    ...(request.allowed('os_compute_api:servers:show:flavor-extra-specs', target) ? { extra_specs: flavor.extraSpecs } : {}),
  };
}

function faultView(request: Request, row: ServerRow): object | undefined {
  const fault = faultOf(row);
  if (fault === undefined) return undefined;
  return {
    code: fault.code,
    created: isoSeconds(fault.createdAtMs),
    message: fault.message,
    ...(fault.details !== undefined && fault.details !== '' && (isAdmin(request.ctx) || fault.code !== 500) ? { details: fault.details } : {}),
  };
}

function extendedView(request: Request, row: ServerRow): object {
  const image = imageOf(row);
  return {
    'OS-EXT-SRV-ATTR:host': row.host,
    'OS-EXT-SRV-ATTR:instance_name': instanceName(row),
    'OS-EXT-SRV-ATTR:hypervisor_hostname': row.node,
    ...(request.version.atLeast('2.3')
      ? {
          'OS-EXT-SRV-ATTR:hostname': row.hostname,
          'OS-EXT-SRV-ATTR:kernel_id': image.properties['kernel_id'] ?? '',
          'OS-EXT-SRV-ATTR:launch_index': row.launch_index,
          'OS-EXT-SRV-ATTR:ramdisk_id': image.properties['ramdisk_id'] ?? '',
          'OS-EXT-SRV-ATTR:reservation_id': row.reservation_id,
          'OS-EXT-SRV-ATTR:root_device_name': row.root_device,
          'OS-EXT-SRV-ATTR:user_data': row.user_data,
        }
      : {}),
  };
}

function hostStatusView(request: Request, details: ServerDetails, target: Readonly<Record<string, unknown>>): object {
  if (request.allowed('os_compute_api:servers:show:host_status', target)) return { host_status: details.hostStatus };
  if (details.hostStatus === 'UNKNOWN' && request.allowed('os_compute_api:servers:show:host_status:unknown-only', target)) return { host_status: 'UNKNOWN' };
  return {};
}
