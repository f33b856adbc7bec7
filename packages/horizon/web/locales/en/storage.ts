/** Volumes and images. */
export const storage = {
  volumes: {
    empty: 'No volumes yet',
    emptyText: 'A volume is a disk that servers can be given.',
    create: 'Create volume',
    inUse: 'It is in use, or something is being done with it.',
  },
  images: {
    empty: 'No images yet',
    emptyText: 'Servers start from images.',
    create: 'Upload image',
    protected: 'It is protected against deletion.',
    notYours: 'It belongs to another project.',
    formatHelp: 'What kind of disk the file holds.',
    file: 'File',
    chooseFile: 'Choose a file',
    dropFile: 'Drop the file here',
    removeFile: 'Take the file away',
    uploading: 'Sending the file',
  },
} as const;
