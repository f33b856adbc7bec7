/** What a server's row keeps as JSON, decoded: pure functions for the views, which read no tables. */
export { faultOf, flavorOf, imageOf, instanceName, metadataOf } from '../store/server.ts';
