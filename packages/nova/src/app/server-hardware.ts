import { conflict, invalidInput } from '@cairn/kit/errors/errors';
import { hardwareOf, tpmWish } from '../hosts/hardware.ts';
import { flavorOf, imageOf, type ServerRow } from '../store/server.ts';
import type { FlavorSpecs, ImageProperties } from '../topology/flavor-or-image.ts';
import { topologyWish } from '../topology/wish.ts';

/** Throws InvalidInput where a flavor and an image ask for a machine that contradicts itself (nova/compute/api.py, _validate_flavor_image_numa_pci). */
export function checkHardware(flavor: FlavorSpecs, image: ImageProperties): void {
  topologyWish(flavor, image);
  hardwareOf(flavor, image);
  tpmWish(flavor, image);
}

/** A rebuild leaves the server's place on its host as it is, so the new image must ask for the same. */
export function checkRebuildTopology(flavor: FlavorSpecs, before: ImageProperties, after: ImageProperties): void {
  if (JSON.stringify(topologyWish(flavor, before)) !== JSON.stringify(topologyWish(flavor, after)))
    throw invalidInput("An instance's NUMA topology cannot be changed as part of a rebuild. The image provided is invalid for this instance.");
}

/** What would part a TPM from its state is refused, as upstream refuses it. */
export function refuseTpm(row: Pick<ServerRow, 'id' | 'flavor_json' | 'image_json'>, operation: string): void {
  if (tpmWish(flavorOf(row), imageOf(row).properties) !== undefined)
    throw conflict(`Operation '${operation}' not supported for vTPM-enabled instance (${row.id}).`);
}
