/** Tables of the metadata definitions: what properties of images, flavors and other resources mean. */
export interface MetadefTables {
  glance_metadef_namespace: NamespaceRow;
  glance_metadef_object: ObjectRow;
  glance_metadef_property: PropertyDefinitionRow;
  glance_metadef_tag: MetadefTagRow;
  glance_metadef_resource_type: ResourceTypeRow;
  glance_metadef_association: AssociationRow;
  glance_metadef_loaded: LoadedRow;
}

interface Times {
  created_at_ms: number;
  updated_at_ms: number;
}

export interface NamespaceRow extends Times {
  id: string;
  /** The unique name; it can be changed. */
  namespace: string;
  display_name: string | null;
  description: string | null;
  visibility: 'public' | 'private';
  protected: number;
  /** A project, or `admin` for the standard catalogue. */
  owner: string | null;
}

export interface ObjectRow extends Times {
  id: string;
  namespace_id: string;
  name: string;
  description: string | null;
  /** JSON array of property names. */
  required: string | null;
  /** JSON object: property definitions by name. */
  properties: string | null;
}

export interface PropertyDefinitionRow extends Times {
  id: string;
  namespace_id: string;
  name: string;
  /** JSON object. */
  definition: string;
}

export interface MetadefTagRow extends Times {
  id: string;
  namespace_id: string;
  name: string;
}

export interface ResourceTypeRow extends Times {
  name: string;
  /** Came with the standard catalogue. */
  protected: number;
}

export interface AssociationRow extends Times {
  namespace_id: string;
  resource_type: string;
  prefix: string | null;
  properties_target: string | null;
}

/** Namespaces of the standard catalogue that were loaded once: what an admin deletes stays deleted. */
export interface LoadedRow {
  namespace: string;
  loaded_at_ms: number;
}
