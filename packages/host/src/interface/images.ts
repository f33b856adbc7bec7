/** A format to convert images into. */
export type ConvertedFormat = 'raw' | 'qcow2' | 'vmdk';

/** Converts image files on this machine; the only way for a service to have qemu-img run. */
export interface ImageConverter {
  /**
   * Writes `from`, whose format was judged by the inspector, to the new file `to.path`, which stands alone, is on the disk, and belongs to
   * whoever runs Cairn. On failure nothing is left at `to.path`. Rejects with InvalidInput (type `ImageUnacceptable`) for data that cannot
   * be converted.
   */
  convert(job: {
    readonly from: { readonly path: string; readonly format: 'raw' | 'qcow2' | 'vmdk' | 'vdi' | 'vpc' | 'vhdx' };
    readonly to: { readonly path: string; readonly format: ConvertedFormat };
    /** Length of the source; scales the time that is given. */
    readonly sourceBytes: number;
    readonly signal?: AbortSignal;
  }): Promise<void>;
}
