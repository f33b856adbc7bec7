import Type, { type TSchema } from 'typebox';

/** Images with their members, locations and tasks. */

const text = Type.String();
const whole = Type.Integer();
const nullable = (schema: TSchema) => Type.Union([schema, Type.Null()]);
const textOrNull = nullable(text);
const free = nullable(Type.Record(text, Type.Any()));

export const location = Type.Object({ url: text, metadata: Type.Record(text, Type.Any()) }, { title: 'ImageLocation' });

/** Beside what glance itself knows stand the image's own properties, which are texts. */
export const image = Type.Object(
  {
    id: text,
    name: textOrNull,
    status: text,
    visibility: text,
    owner: textOrNull,
    protected: Type.Boolean(),
    os_hidden: Type.Boolean(),
    disk_format: textOrNull,
    container_format: textOrNull,
    min_disk: Type.Integer({ description: 'Gigabytes.' }),
    min_ram: Type.Integer({ description: 'Megabytes.' }),
    size: nullable(whole),
    virtual_size: nullable(whole),
    checksum: textOrNull,
    os_hash_algo: textOrNull,
    os_hash_value: textOrNull,
    created_at: text,
    updated_at: text,
    tags: Type.Array(text),
    self: text,
    file: text,
    schema: text,
    stores: Type.Optional(Type.String({ description: 'Ids of the stores that have the data, separated by commas.' })),
    direct_url: Type.Optional(text),
    locations: Type.Optional(Type.Array(location)),
  },
  { title: 'Image', additionalProperties: text },
);

/** What lists have besides what they list. */
export const page = { first: text, next: Type.Optional(text), schema: text };
export const imagesAnswer = Type.Object({ images: Type.Array(image), ...page });

export const imageMember = Type.Object(
  { member_id: text, image_id: text, status: text, created_at: text, updated_at: text, schema: text },
  { title: 'ImageMember' },
);
export const membersAnswer = Type.Object({ members: Type.Array(imageMember), schema: text });

const stub = {
  id: text,
  type: text,
  status: text,
  owner: textOrNull,
  created_at: text,
  updated_at: text,
  expires_at: Type.Optional(text),
  self: text,
  schema: text,
};
const optional = Type.Optional(text);
const content = { input: free, result: free, message: textOrNull };
export const task = Type.Object({ ...stub, ...content, image_id: optional, request_id: optional, user_id: optional }, { title: 'ImageTask' });
export const tasksAnswer = Type.Object({ tasks: Type.Array(Type.Object(stub, { title: 'ImageTaskStub' })), ...page });

/** A task as the list of an image's tasks has it. */
const record = Type.Object(
  {
    id: text,
    type: text,
    status: text,
    owner: textOrNull,
    image_id: textOrNull,
    request_id: textOrNull,
    user_id: textOrNull,
    expires_at: textOrNull,
    created_at: text,
    updated_at: text,
    deleted_at: Type.Null(),
    deleted: Type.Literal(false),
    ...content,
  },
  { title: 'ImageTaskRecord' },
);
export const tasksOfImageAnswer = Type.Object({ tasks: Type.Array(record) });
