import { BackupTable } from './table.tsx';

/** Backups of all volumes of the project. */
export const BackupsPage = () => <BackupTable />;
