import { metadataOf, tagsOf } from '../dialogs/values.ts';

/** What a server starts from. */
export type Source = 'image' | 'snapshot' | 'volume';

/** What the launch form asks for. */
export interface LaunchForm {
  readonly name: string;
  readonly count: number;
  readonly source: Source;
  readonly imageId: string;
  readonly snapshotId: string;
  readonly volumeId: string;
  readonly flavorId: string;
  /** Ids of networks; none, and no ports, lets the cloud choose. */
  readonly networkIds: readonly string[];
  /** Ids of ports that are there already; they come before the networks. */
  readonly portIds: readonly string[];
  readonly securityGroups: readonly string[];
  readonly keyName: string;
  readonly userData: string;
  /** Size of a volume to boot from, made from the image; undefined boots from the host's own disk. */
  readonly volumeGb: number | undefined;
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  /** Between commas. */
  readonly tags: string;
  /** A server group, which says whether its servers share hosts. */
  readonly groupId: string;
  readonly zone: string;
}

export const BEGINNING: LaunchForm = {
  name: '',
  count: 1,
  source: 'image',
  imageId: '',
  snapshotId: '',
  volumeId: '',
  flavorId: '',
  networkIds: [],
  portIds: [],
  securityGroups: [],
  keyName: '',
  userData: '',
  volumeGb: undefined,
  metadata: [],
  tags: '',
  groupId: '',
  zone: '',
};

/** Longest user data, encoded (nova's limit). */
const USER_DATA_LIMIT = 65_535;

const base64 = (text: string): string => {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
};

export type Missing = Source | 'name' | 'flavor' | 'count' | 'single' | 'userData' | 'volumeSize' | 'metadata';

/** What keeps the form from being sent. */
export function missingOf(form: LaunchForm): readonly Missing[] {
  const sourceId = { image: form.imageId, snapshot: form.snapshotId, volume: form.volumeId }[form.source];
  const several = form.count > 1 && (form.portIds.length > 0 || form.source === 'volume');
  return [
    ...(form.name.trim() === '' ? (['name'] as const) : []),
    ...(sourceId === '' ? [form.source] : []),
    ...(form.flavorId === '' ? (['flavor'] as const) : []),
    ...(Number.isInteger(form.count) && form.count >= 1 && form.count <= 100 ? [] : (['count'] as const)),
    ...(several ? (['single'] as const) : []),
    ...(base64(form.userData).length > USER_DATA_LIMIT ? (['userData'] as const) : []),
    ...(form.source !== 'image' || form.volumeGb === undefined || (Number.isInteger(form.volumeGb) && form.volumeGb >= 1) ? [] : (['volumeSize'] as const)),
    ...(metadataOf(form.metadata) === undefined ? (['metadata'] as const) : []),
  ];
}

/** The disk to boot from, where that is no disk of the host. */
function bootDisk(form: LaunchForm): Readonly<Record<string, unknown>> | undefined {
  const common = { destination_type: 'volume', boot_index: 0 };
  if (form.source === 'volume') return { uuid: form.volumeId, source_type: 'volume', ...common, delete_on_termination: false };
  if (form.source === 'snapshot') return { uuid: form.snapshotId, source_type: 'snapshot', ...common, delete_on_termination: true };
  if (form.volumeGb === undefined) return undefined;
  return { uuid: form.imageId, source_type: 'image', ...common, volume_size: form.volumeGb, delete_on_termination: true };
}

export interface LaunchBody {
  readonly server: Readonly<Record<string, unknown>>;
  readonly 'os:scheduler_hints'?: { readonly group: string };
}

/** The body of POST /servers. */
export function launchBody(form: LaunchForm): LaunchBody {
  const disk = bootDisk(form);
  const networks = [...form.portIds.map((port) => ({ port })), ...form.networkIds.map((uuid) => ({ uuid }))];
  const metadata = metadataOf(form.metadata) ?? {};
  const tags = tagsOf(form.tags);
  return {
    server: {
      name: form.name.trim(),
      flavorRef: form.flavorId,
      ...(disk === undefined ? { imageRef: form.imageId } : { block_device_mapping_v2: [disk] }),
      networks: networks.length === 0 ? 'auto' : networks,
      ...(form.securityGroups.length > 0 && { security_groups: form.securityGroups.map((name) => ({ name })) }),
      ...(form.keyName !== '' && { key_name: form.keyName }),
      ...(form.userData !== '' && { user_data: base64(form.userData) }),
      ...(Object.keys(metadata).length > 0 && { metadata }),
      ...(tags.length > 0 && { tags }),
      ...(form.zone !== '' && { availability_zone: form.zone }),
      ...(form.count > 1 && { min_count: form.count, max_count: form.count }),
    },
    ...(form.groupId !== '' && { 'os:scheduler_hints': { group: form.groupId } }),
  };
}
