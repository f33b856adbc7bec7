import { CONTAINER_FORMATS, DISK_FORMATS } from '../options.ts';

// The JSON schemas of images and members as glance publishes them (get_base_properties in glance/api/v2/images.py): clients read the formats and
// the standard properties from here, and bodies are checked with them.

type Json = Readonly<Record<string, unknown>>;

const nullable = (type: string, description: string, rest: object = {}): Json => ({ type: ['null', type], description, ...rest });
const READ_ONLY = { readOnly: true };
/** The form of ids. */
export const UUID = '^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$';

const BASE: Readonly<Record<string, Json>> = {
  id: { type: 'string', pattern: UUID, description: 'An identifier for the image' },
  name: nullable('string', 'Descriptive name for the image', { maxLength: 255 }),
  status: {
    type: 'string',
    enum: ['queued', 'saving', 'active', 'killed', 'deleted', 'uploading', 'importing', 'pending_delete', 'deactivated'],
    description: 'Status of the image',
    ...READ_ONLY,
  },
  visibility: { type: 'string', enum: ['community', 'public', 'private', 'shared'], description: 'Scope of image accessibility' },
  protected: { type: 'boolean', description: 'If true, image will not be deletable.' },
  os_hidden: { type: 'boolean', description: 'If true, image will not appear in default image list response.' },
  checksum: nullable('string', 'md5 hash of image contents.', { maxLength: 32, ...READ_ONLY }),
  os_hash_algo: nullable('string', 'Algorithm to calculate the os_hash_value', { maxLength: 64, ...READ_ONLY }),
  os_hash_value: nullable('string', 'Hash of the contents, in hexadecimal, by the algorithm that os_hash_algo names', { maxLength: 128, ...READ_ONLY }),
  owner: nullable('string', 'Owner of the image', { maxLength: 255 }),
  size: nullable('integer', 'Size of image file in bytes', READ_ONLY),
  virtual_size: nullable('integer', 'Virtual size of image in bytes', READ_ONLY),
  container_format: nullable('string', 'Format of the container', { enum: [null, ...CONTAINER_FORMATS] }),
  disk_format: nullable('string', 'Format of the disk', { enum: [null, ...DISK_FORMATS] }),
  created_at: { type: 'string', description: 'Date and time of image registration', ...READ_ONLY },
  updated_at: { type: 'string', description: 'Date and time of the last image modification', ...READ_ONLY },
  tags: { type: 'array', items: { type: 'string', maxLength: 255 }, description: 'List of strings related to the image' },
  direct_url: { type: 'string', description: 'URL of the data in its store', ...READ_ONLY },
  min_ram: { type: 'integer', description: 'Amount of ram (in MB) required to boot image.' },
  min_disk: { type: 'integer', description: 'Amount of disk space (in GB) required to boot image.' },
  self: { type: 'string', description: 'An image self url', ...READ_ONLY },
  file: { type: 'string', description: 'An image file url', ...READ_ONLY },
  stores: { type: 'string', description: 'Ids of the stores that have the data, separated by commas', ...READ_ONLY },
  schema: { type: 'string', description: 'An image schema url', ...READ_ONLY },
  locations: {
    type: 'array',
    items: {
      type: 'object',
      required: ['url', 'metadata'],
      properties: {
        url: { type: 'string', maxLength: 255 },
        metadata: { type: 'object' },
        validation_data: {
          description: 'Hashes of the data: set while the image is queued, and compared with those that it has afterwards',
          type: 'object',
          writeOnly: true,
          additionalProperties: false,
          properties: {
            checksum: { type: 'string', minLength: 32, maxLength: 32 },
            os_hash_algo: { type: 'string', maxLength: 64 },
            os_hash_value: { type: 'string', maxLength: 128 },
          },
          required: ['os_hash_algo', 'os_hash_value'],
        },
      },
    },
    description: 'URLs of the data in its stores',
  },
};

/** The attributes that glance itself knows, by name. */
export const isBaseProperty = (name: string): boolean => Object.hasOwn(BASE, name);

/** The properties of upstream's etc/schema-image.json: names, types and choices are facts. */
const STANDARD: Readonly<Record<string, Json>> = {
  kernel_id: nullable('string', 'Image with the kernel to boot this one with', { pattern: UUID }),
  ramdisk_id: nullable('string', 'Image with the initial ramdisk to boot this one with', { pattern: UUID }),
  instance_uuid: { type: 'string', description: 'Server that the image was made of; for information alone' },
  architecture: { type: 'string', description: 'Architecture that the image runs on' },
  os_distro: { type: 'string', description: 'Common name of the distribution' },
  os_version: { type: 'string', description: 'Version of the operating system, as its maker writes it' },
  description: { type: 'string', description: 'What the image is, for people' },
  cinder_encryption_key_id: { type: 'string', description: 'Key in the key manager that a volume of this image is read with' },
  cinder_encryption_key_deletion_policy: {
    type: 'string',
    description: 'Whether that key goes when the image does; it stays when absent',
    enum: ['on_image_deletion', 'do_not_delete'],
  },
};

export const IMAGE: Json = {
  name: 'image',
  properties: { ...BASE, ...Object.fromEntries(Object.entries(STANDARD).map(([name, facts]) => [name, { ...facts, is_base: false }])) },
  additionalProperties: { type: 'string' },
  links: [
    { rel: 'self', href: '{self}' },
    { rel: 'enclosure', href: '{file}' },
    { rel: 'describedby', href: '{schema}' },
  ],
};

const MEMBER: Json = {
  name: 'member',
  properties: {
    created_at: { type: 'string', description: 'Date and time of image member creation' },
    image_id: { type: 'string', pattern: UUID, description: 'An identifier for the image' },
    member_id: { type: 'string', description: 'An identifier for the image member (tenantId)' },
    status: { type: 'string', enum: ['pending', 'accepted', 'rejected'], description: 'The status of this image member' },
    updated_at: { type: 'string', description: 'Date and time of last modification of image member' },
    schema: { type: 'string', readOnly: true },
  },
};

/** A paged list of such items. */
export const collection = (name: string, items: Json): Json => ({
  name,
  properties: { [name]: { type: 'array', items }, first: { type: 'string' }, next: { type: 'string' }, schema: { type: 'string' } },
  links: [
    { rel: 'first', href: '{first}' },
    { rel: 'next', href: '{next}' },
    { rel: 'describedby', href: '{schema}' },
  ],
});
/** Members come all at once. */
const wholeCollection = (name: string, items: Json): Json => ({
  name,
  properties: { [name]: { type: 'array', items }, schema: { type: 'string' } },
  links: [{ rel: 'describedby', href: '{schema}' }],
});

/** What /v2/schemas/{name} answers. */
export const IMAGE_SCHEMAS: Readonly<Record<string, Json>> = {
  image: IMAGE,
  images: collection('images', IMAGE),
  member: MEMBER,
  members: wholeCollection('members', MEMBER),
};
