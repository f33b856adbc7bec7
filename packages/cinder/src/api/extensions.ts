import { notFound } from '@cairn/kit/errors/errors';
import { AUTHENTICATED } from '@cairn/kit/http/operation';
import { Extensions, OneExtension } from './answers/services.ts';
import { op } from './op.ts';

/** Upstream's extensions that are served here: alias, name, date, description. */
const EXTENSIONS: readonly (readonly [string, string, string, string])[] = [
  ['os-admin-actions', 'AdminActions', '2012-08-25T00:00:00+00:00', 'Enable admin actions.'],
  ['os-availability-zone', 'AvailabilityZones', '2013-06-27T00:00:00+00:00', 'Describe Availability Zones.'],
  ['capabilities', 'Capabilities', '2015-08-31T00:00:00+00:00', 'Capabilities support.'],
  ['os-extended-services', 'ExtendedServices', '2014-01-10T00:00:00-00:00', 'Extended services support.'],
  ['os-extended-snapshot-attributes', 'ExtendedSnapshotAttributes', '2012-06-19T00:00:00+00:00', 'Extended SnapshotAttributes support.'],
  ['os-hosts', 'Hosts', '2011-06-29T00:00:00+00:00', 'Admin-only host administration.'],
  ['os-quota-class-sets', 'QuotaClasses', '2012-03-12T00:00:00+00:00', 'Quota classes management support.'],
  ['os-quota-sets', 'Quotas', '2011-08-08T00:00:00+00:00', 'Quota management support.'],
  ['OS-SCH-HNT', 'SchedulerHints', '2013-04-18T00:00:00+00:00', 'Pass arbitrary key/value pairs to the scheduler.'],
  ['scheduler-stats', 'Scheduler_stats', '2014-09-07T00:00:00+00:00', 'Scheduler stats support.'],
  ['os-services', 'Services', '2012-10-28T00:00:00-00:00', 'Services support.'],
  ['os-snapshot-actions', 'SnapshotActions', '2013-07-16T00:00:00+00:00', 'Enable snapshot manager actions.'],
  ['os-types-extra-specs', 'TypesExtraSpecs', '2011-08-24T00:00:00+00:00', 'Type extra specs support.'],
  ['os-types-manage', 'TypesManage', '2011-08-24T00:00:00+00:00', 'Types manage support.'],
  ['os-used-limits', 'UsedLimits', '2013-10-03T00:00:00+00:00', 'Provide data on limited resources that are being used.'],
  ['os-volume-actions', 'VolumeActions', '2012-05-31T00:00:00+00:00', 'Enable volume actions.'],
  ['os-volume-encryption-metadata', 'VolumeEncryptionMetadata', '2013-07-10T00:00:00+00:00', 'Volume encryption metadata retrieval support.'],
  ['os-vol-host-attr', 'VolumeHostAttribute', '2011-11-03T00:00:00+00:00', 'Expose host as an attribute of a volume.'],
  ['os-vol-image-meta', 'VolumeImageMetadata', '2012-12-07T00:00:00+00:00', 'Show image metadata associated with the volume.'],
  ['os-vol-mig-status-attr', 'VolumeMigStatusAttribute', '2013-08-08T00:00:00+00:00', 'Expose migration_status as an attribute of a volume.'],
  ['os-vol-tenant-attr', 'VolumeTenantAttribute', '2011-11-03T00:00:00+00:00', 'Expose the internal project_id as an attribute of a volume.'],
  ['os-volume-transfer', 'VolumeTransfer', '2013-05-29T00:00:00+00:00', 'Volume transfer management support.'],
  ['os-volume-type-access', 'VolumeTypeAccess', '2014-06-26T00:00:00Z', 'Volume type access support.'],
];

const view = ([alias, name, updated, description]: (typeof EXTENSIONS)[number]): object => ({ name, alias, description, updated, links: [] });

export const extensionOperations = [
  op({
    id: 'cinder.extension.list',
    method: 'GET',
    path: '/v3/extensions',
    summary: 'List extensions',
    policy: AUTHENTICATED,
    answer: Extensions,
    handle: () => ({ extensions: EXTENSIONS.map(view) }),
  }),
  op({
    id: 'cinder.extension.show',
    method: 'GET',
    path: '/v3/extensions/{alias}',
    summary: 'Show an extension',
    policy: AUTHENTICATED,
    answer: OneExtension,
    handle(_app, request) {
      const found = EXTENSIONS.find(([alias]) => alias === request.params['alias']);
      if (!found) throw notFound('The resource could not be found.');
      return { extension: view(found) };
    },
  }),
];
