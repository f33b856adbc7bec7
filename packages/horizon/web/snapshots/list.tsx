import { SnapshotTable } from './table.tsx';

/** Snapshots of all volumes of the project. */
export const SnapshotsPage = () => <SnapshotTable />;
