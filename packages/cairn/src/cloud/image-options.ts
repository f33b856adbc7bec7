import { join } from 'node:path';
import { defaultGlanceOptions, type GlanceOptions, type StoreOptions } from '@cairn/glance/options';
import type { CloudConfig } from '../config.ts';

const GIB = 2 ** 30;

/** The operator's words about images as glance's options. */
export function imageOptions({ image }: CloudConfig, imagesDir: string): GlanceOptions {
  const { import: imports } = image;
  return {
    ...defaultGlanceOptions,
    imagesDir,
    imageSizeCapBytes: image.sizeLimitGb * GIB,
    stores: image.stores as Readonly<Record<string, StoreOptions>>,
    defaultStore: image.defaultStore,
    showLocations: image.showLocations,
    showDirectUrl: image.showDirectUrl,
    secureHash: image.hashLocations,
    maxMembers: image.memberQuota,
    maxProperties: image.propertyQuota,
    maxTags: image.tagQuota,
    quotas: { useKeystoneLimits: image.useKeystoneLimits, storageQuotaBytes: image.storageQuotaMb * 2 ** 20 },
    propertyProtection: { format: image.propertyProtectionFormat, ...(image.propertyProtectionFile !== '' && { file: image.propertyProtectionFile }) },
    certificatesDir: image.certificates || join(imagesDir, '..', 'certificates'),
    cacheMaxBytes: image.cacheLimitGb * GIB,
    import: {
      ...defaultGlanceOptions.import,
      methods: defaultGlanceOptions.import.methods.filter((method) => imports.methods.includes(method)),
      convertTo: imports.convertTo,
      decompress: imports.decompress,
      maxUnpackedBytes: imports.unpackedLimitGb * GIB,
      inject: imports.properties as Readonly<Record<string, string>>,
      injectIgnoreRoles: imports.propertiesIgnoreRoles,
      fetch: {
        allowedSchemes: imports.allowedSchemes,
        allowedPorts: imports.allowedPorts,
        allowedHosts: imports.allowedHosts,
        disallowedHosts: imports.disallowedHosts,
        allowedNetworks: imports.allowedNetworks,
      },
    },
  };
}
