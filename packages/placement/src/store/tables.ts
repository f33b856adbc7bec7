/** Placement's tables. `used` and `free` of an inventory are written in the transaction that writes its allocations. */
export interface PlacementTables {
  placement_provider: ProviderRow;
  placement_inventory: InventoryRow;
  placement_allocation: AllocationRow;
  placement_consumer: ConsumerRow;
  placement_provider_trait: ProviderTraitRow;
  placement_provider_aggregate: ProviderAggregateRow;
  placement_trait: NamedRow;
  placement_resource_class: NamedRow;
}

export interface ProviderRow {
  id: string;
  name: string;
  /** Grows with every change of inventory, traits, aggregates or allocations; writers send the one they saw. */
  generation: number;
  parent_id: string | null;
  root_id: string;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface InventoryRow {
  provider_id: string;
  resource_class: string;
  total: number;
  reserved: number;
  min_unit: number;
  max_unit: number;
  step_size: number;
  allocation_ratio: number;
  /** (total - reserved) * allocation_ratio, its fraction cut off. */
  capacity: number;
  /** Sum of the allocations of this class on this provider. */
  used: number;
  /** capacity - used; negative after an inventory shrank under its use. */
  free: number;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface AllocationRow {
  consumer_id: string;
  provider_id: string;
  resource_class: string;
  used: number;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface ConsumerRow {
  id: string;
  project_id: string;
  user_id: string;
  /** null: not known (made before microversion 1.38). */
  consumer_type: string | null;
  generation: number;
  created_at_ms: number;
  updated_at_ms: number;
}

export interface ProviderTraitRow {
  provider_id: string;
  trait: string;
}

export interface ProviderAggregateRow {
  provider_id: string;
  aggregate_id: string;
}

/** Custom traits and resource classes; the standard ones are code (../app/standard-*.ts). */
export interface NamedRow {
  name: string;
  created_at_ms: number;
  updated_at_ms: number;
}
