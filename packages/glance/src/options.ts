/** What an operator may set for glance. */
export interface GlanceOptions {
  /** Directory of the image files. */
  readonly imagesDir: string;
  /** Longest image in bytes; upstream's `image_size_cap` is 1 TiB. */
  readonly imageSizeCapBytes: number;
  readonly maxProperties: number;
  readonly maxTags: number;
  readonly maxMembers: number;
}

export const defaultGlanceOptions: Omit<GlanceOptions, 'imagesDir'> = { imageSizeCapBytes: 2 ** 40, maxProperties: 128, maxTags: 128, maxMembers: 128 };

/** upstream's defaults of `disk_formats` and `container_formats`. */
export const DISK_FORMATS = ['ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk', 'raw', 'qcow2', 'vdi', 'iso', 'ploop'] as const;
export const CONTAINER_FORMATS = ['ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed'] as const;
