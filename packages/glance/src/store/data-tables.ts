/** The tables of images' data: where it is, what is staged and cached, and the tasks that bring it in. */
export interface DataTables {
  glance_image_location: LocationRow;
  glance_staging: StagingRow;
  glance_task: TaskRow;
  glance_cache: CacheRow;
}

/** One place where an image's data is. */
export interface LocationRow {
  id: string;
  image_id: string;
  /** Order among the image's locations; not without gaps. */
  position: number;
  /** Id of a store; null when none of this cloud's reads the URL. */
  store: string | null;
  /** Names the data within the store. A new upload gets a new one, so that a reader of the old data is not disturbed. */
  data_key: string | null;
  /** Of a location that somebody named; else the store makes it from the key. */
  url: string | null;
  /** JSON object of strings and such, as it was given. */
  metadata: string;
  created_at_ms: number;
}

/** Data that was staged and waits for its import; the image is `uploading`. */
export interface StagingRow {
  image_id: string;
  /** Name of the file in the staging area. */
  file: string;
  size_bytes: number;
  md5: string;
  sha512: string;
  created_at_ms: number;
}

export type TaskType = 'import' | 'api_image_import' | 'location_import';
export type TaskStatus = 'pending' | 'processing' | 'success' | 'failure';

export interface TaskRow {
  id: string;
  type: TaskType;
  status: TaskStatus;
  owner: string;
  image_id: string | null;
  user_id: string | null;
  request_id: string | null;
  /** JSON. */
  input: string;
  /** JSON. */
  result: string | null;
  message: string;
  /** Set with the end. */
  expires_at_ms: number | null;
  created_at_ms: number;
  updated_at_ms: number;
}

/** An image in the cache, or waiting for it. */
export interface CacheRow {
  image_id: string;
  state: 'queued' | 'cached';
  size_bytes: number;
  hits: number;
  accessed_at_ms: number;
  modified_at_ms: number;
}
