import type { Group } from '../app/groups.ts';
import type { User, UserSecret } from '../app/users.ts';
import type { ListFilter, Paging } from '../store/lists.ts';
import type { FederatedFilter, PasswordExpiry } from '../store/users.ts';

/** What narrows a list of users beside its filters. */
export interface UserListing {
  readonly expiry?: PasswordExpiry;
  /** Members of this group alone. */
  readonly groupId?: string;
  readonly federated?: FederatedFilter | undefined;
}

export interface UserPage {
  readonly users: User[];
  readonly hasMore: boolean;
}

export interface GroupPage {
  readonly groups: Group[];
  readonly hasMore: boolean;
}

/**
 * Where the users and groups of a domain are kept. Ids are those of the API. `undefined` is for what is not there; a back end that cannot
 * be asked throws Unavailable.
 */
export interface IdentityBackend {
  /** Whether users and groups can be made and changed through the API. */
  readonly writable: boolean;
  user(id: string): Promise<UserSecret | undefined>;
  userByName(name: string, domainId: string): Promise<UserSecret | undefined>;
  users(filters: readonly ListFilter[], paging: Paging, more?: UserListing): Promise<UserPage>;
  group(id: string): Promise<Group | undefined>;
  /** All groups, or those that a user is in. */
  groups(filters: readonly ListFilter[], paging: Paging, memberId?: string): Promise<GroupPage>;
  groupIdsOf(userId: string): Promise<string[]>;
  userIdsOf(groupId: string): Promise<string[]>;
  isMember(userId: string, groupId: string): Promise<boolean>;
}
