export { equals } from '../store/lists.ts';
