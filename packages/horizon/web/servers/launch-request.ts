/** What the launch form asks for. */
export interface LaunchForm {
  readonly name: string;
  readonly count: number;
  readonly imageId: string;
  readonly flavorId: string;
  /** Ids of networks; none lets the cloud choose. */
  readonly networkIds: readonly string[];
  readonly securityGroups: readonly string[];
  readonly keyName: string;
  readonly userData: string;
  /** Size of a volume to boot from, made from the image; undefined boots from the host's own disk. */
  readonly volumeGb: number | undefined;
}

/** Longest user data, encoded (nova's limit). */
const USER_DATA_LIMIT = 65_535;

const base64 = (text: string): string => {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
};

export type Missing = 'name' | 'image' | 'flavor' | 'count' | 'userData' | 'volume';

/** What keeps the form from being sent. */
export function missingOf(form: LaunchForm): readonly Missing[] {
  return [
    ...(form.name.trim() === '' ? (['name'] as const) : []),
    ...(form.imageId === '' ? (['image'] as const) : []),
    ...(form.flavorId === '' ? (['flavor'] as const) : []),
    ...(Number.isInteger(form.count) && form.count >= 1 && form.count <= 100 ? [] : (['count'] as const)),
    ...(base64(form.userData).length > USER_DATA_LIMIT ? (['userData'] as const) : []),
    ...(form.volumeGb === undefined || (Number.isInteger(form.volumeGb) && form.volumeGb >= 1) ? [] : (['volume'] as const)),
  ];
}

/** The body of POST /servers. */
export function launchBody(form: LaunchForm): { readonly server: Readonly<Record<string, unknown>> } {
  const disk = { uuid: form.imageId, source_type: 'image', destination_type: 'volume', volume_size: form.volumeGb, boot_index: 0, delete_on_termination: true };
  return {
    server: {
      name: form.name.trim(),
      flavorRef: form.flavorId,
      ...(form.volumeGb === undefined ? { imageRef: form.imageId } : { block_device_mapping_v2: [disk] }),
      networks: form.networkIds.length === 0 ? 'auto' : form.networkIds.map((uuid) => ({ uuid })),
      ...(form.securityGroups.length > 0 && { security_groups: form.securityGroups.map((name) => ({ name })) }),
      ...(form.keyName !== '' && { key_name: form.keyName }),
      ...(form.userData !== '' && { user_data: base64(form.userData) }),
      ...(form.count > 1 && { min_count: form.count, max_count: form.count }),
    },
  };
}
