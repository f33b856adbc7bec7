import { invalidInput } from '@cairn/kit/errors/errors';

/** What a server is made of, as far as these rules care. */
export interface FlavorSpecs {
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly extraSpecs: Readonly<Record<string, string>>;
}
export type ImageProperties = Readonly<Record<string, string>>;

const nonEmpty = (text: string | undefined): string | undefined => (text === undefined || text === '' ? undefined : text);

/** A setting under its two names: `hw:cpu_policy` in a flavor, `hw_cpu_policy` in an image. */
export const both = (name: string, flavor: FlavorSpecs, image: ImageProperties, prefix = 'hw'): readonly [string | undefined, string | undefined] => [
  nonEmpty(flavor.extraSpecs[`${prefix}:${name}`]),
  nonEmpty(image[`${prefix}_${name}`]),
];

/** A setting that flavor and image may both name, if they agree. */
export function agreed(name: string, flavor: FlavorSpecs, image: ImageProperties, prefix = 'hw'): string | undefined {
  const [ofFlavor, ofImage] = both(name, flavor, image, prefix);
  if (ofFlavor !== undefined && ofImage !== undefined && ofFlavor !== ofImage)
    throw invalidInput(`Conflicting values for ${name} found in the flavor (${ofFlavor}) and the image (${ofImage}).`);
  return ofFlavor ?? ofImage;
}

/** The value when it is one of these; throws InvalidInput with `refusal` otherwise. */
export function oneOf<T extends string>(value: string | undefined, allowed: readonly T[], refusal: (value: string) => string): T | undefined {
  if (value === undefined) return undefined;
  if (!(allowed as readonly string[]).includes(value)) throw invalidInput(refusal(value));
  return value as T;
}
