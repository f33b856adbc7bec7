import { AUTHENTICATED } from '@cairn/kit/http/operation';
import { CONTAINER_FORMATS, DISK_FORMATS } from '../options.ts';
import { op } from './op.ts';

const nullable = (type: string, description: string, rest: object = {}): object => ({ type: ['null', type], description, ...rest });
const READ_ONLY = { readOnly: true };

/** The JSON schema of an image as glance publishes it; clients read the formats from here. */
const IMAGE_PROPERTIES = {
  id: {
    type: 'string',
    pattern: '^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$',
    description: 'An identifier for the image',
  },
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
  os_hash_value: nullable('string', 'Hexdigest of the image contents using the algorithm specified by the os_hash_algo', { maxLength: 128, ...READ_ONLY }),
  owner: nullable('string', 'Owner of the image', { maxLength: 255 }),
  size: nullable('integer', 'Size of image file in bytes', READ_ONLY),
  virtual_size: nullable('integer', 'Virtual size of image in bytes', READ_ONLY),
  container_format: nullable('string', 'Format of the container', { enum: [null, ...CONTAINER_FORMATS] }),
  disk_format: nullable('string', 'Format of the disk', { enum: [null, ...DISK_FORMATS] }),
  created_at: { type: 'string', description: 'Date and time of image registration', ...READ_ONLY },
  updated_at: { type: 'string', description: 'Date and time of the last image modification', ...READ_ONLY },
  tags: { type: 'array', items: { type: 'string', maxLength: 255 }, description: 'List of strings related to the image' },
  direct_url: { type: 'string', description: 'URL to access the image file kept in external store', ...READ_ONLY },
  min_ram: { type: 'integer', description: 'Amount of ram (in MB) required to boot image.' },
  min_disk: { type: 'integer', description: 'Amount of disk space (in GB) required to boot image.' },
  self: { type: 'string', description: 'An image self url', ...READ_ONLY },
  file: { type: 'string', description: 'An image file url', ...READ_ONLY },
  stores: {
    type: 'string',
    description:
      'Store in which image data resides. Only present when the operator has enabled multiple stores. May be a comma-separated list of store identifiers.',
    ...READ_ONLY,
  },
  schema: { type: 'string', description: 'An image schema url', ...READ_ONLY },
  locations: {
    type: 'array',
    items: {
      type: 'object',
      required: ['url', 'metadata'],
      properties: { url: { type: 'string', maxLength: 255 }, metadata: { type: 'object' }, validation_data: { type: 'object' } },
    },
    description: 'A set of URLs to access the image file kept in external store',
  },
};
const IMAGE = {
  name: 'image',
  properties: IMAGE_PROPERTIES,
  additionalProperties: { type: 'string' },
  links: [
    { rel: 'self', href: '{self}' },
    { rel: 'enclosure', href: '{file}' },
    { rel: 'describedby', href: '{schema}' },
  ],
};
const MEMBER = {
  name: 'member',
  properties: {
    created_at: { type: 'string', description: 'Date and time of image member creation' },
    image_id: { type: 'string', pattern: IMAGE_PROPERTIES.id.pattern, description: 'An identifier for the image' },
    member_id: { type: 'string', description: 'An identifier for the image member (tenantId)' },
    status: { type: 'string', enum: ['pending', 'accepted', 'rejected'], description: 'The status of this image member' },
    updated_at: { type: 'string', description: 'Date and time of last modification of image member' },
    schema: { type: 'string', readOnly: true },
  },
};
const collection = (name: string, of: object): object => ({
  name,
  properties: { [name]: { type: 'array', items: of }, first: { type: 'string' }, next: { type: 'string' }, schema: { type: 'string' } },
  links: [
    { rel: 'first', href: '{first}' },
    { rel: 'next', href: '{next}' },
    { rel: 'describedby', href: '{schema}' },
  ],
});

const schema = (name: string, path: `/${string}`, document: object) =>
  op({ id: `glance.schema.${name}`, method: 'GET', path, summary: `JSON schema: ${name}`, policy: AUTHENTICATED, handle: () => document });

export const discoveryOperations = [
  schema('image', '/v2/schemas/image', IMAGE),
  schema('images', '/v2/schemas/images', collection('images', IMAGE)),
  schema('member', '/v2/schemas/member', MEMBER),
  schema('members', '/v2/schemas/members', collection('members', MEMBER)),
  op({
    id: 'glance.info.stores',
    method: 'GET',
    path: '/v2/info/stores',
    summary: 'Where image data can be kept',
    policy: AUTHENTICATED,
    handle: () => ({ stores: [{ id: 'file', default: 'true', description: 'Files on this machine' }] }),
  }),
];
