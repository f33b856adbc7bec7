import type { FormAction } from '../actions.ts';
import { ChangePassword, GetPassword, Lock } from './access.tsx';
import { Metadata, Rename, Resize, SecurityGroups, Tags } from './change.tsx';
import { AttachInterface, AttachVolume, DetachInterface, DetachVolume } from './devices.tsx';
import { CreateBackup, CreateImage, Rebuild, Rescue } from './images.tsx';
import { MoveServer, ResetState } from './moves.tsx';
import type { DialogProps } from './parts.tsx';

/** The dialog of an action that asks for more. */
export function ActionDialog({ action, ...props }: DialogProps & { readonly action: FormAction }) {
  switch (action) {
    case 'rename':
      return <Rename {...props} />;
    case 'resize':
      return <Resize {...props} />;
    case 'metadata':
      return <Metadata {...props} />;
    case 'tags':
      return <Tags {...props} />;
    case 'securityGroups':
      return <SecurityGroups {...props} />;
    case 'attachVolume':
      return <AttachVolume {...props} />;
    case 'detachVolume':
      return <DetachVolume {...props} />;
    case 'attachInterface':
      return <AttachInterface {...props} />;
    case 'detachInterface':
      return <DetachInterface {...props} />;
    case 'rescue':
      return <Rescue {...props} />;
    case 'rebuild':
      return <Rebuild {...props} />;
    case 'createImage':
      return <CreateImage {...props} />;
    case 'createBackup':
      return <CreateBackup {...props} />;
    case 'changePassword':
      return <ChangePassword {...props} />;
    case 'getPassword':
      return <GetPassword {...props} />;
    case 'lock':
      return <Lock {...props} />;
    case 'migrate':
    case 'migrateLive':
    case 'evacuate':
      return <MoveServer {...props} move={action} />;
    case 'resetState':
      return <ResetState {...props} />;
  }
}
