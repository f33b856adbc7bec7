/** Where everything of the console is. The cookie of the session is for this path alone: no service's own path ever gets it. */
export const BASE = '/console';
export const SESSION_PATH = `${BASE}/session`;
/** Where keystone's page of a single sign-on sends its form with the token. */
export const SINGLE_SIGN_ON_PATH = `${SESSION_PATH}/sso`;
export const PASSWORD_PATH = `${SESSION_PATH}/password`;
/** Ways to sign in besides a password. */
export const WAYS_PATH = `${SESSION_PATH}/ways`;
export const EVENTS_PATH = `${BASE}/events`;
/** `/console/api/compute/v2.1/servers` is `/compute/v2.1/servers`, in the name of who signed in. */
export const API_PATH = `${BASE}/api`;
/** `/console/region/south/compute/v2.1/servers` is that of the region's own compute service, wherever the catalog says that it is. */
export const REGION_PATH = `${BASE}/region`;
export const ASSETS_PATH = `${BASE}/assets/`;
