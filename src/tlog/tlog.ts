/**
 * The mathematics of a transparency log, as far as it knows neither tiles nor notes. Source:
 * golang.org/x/mod/sumdb/tlog.
 */
export { checkRecord, checkTree, proveRecord, proveTree } from './proof.ts';
export {
  equalHashes,
  nodeHash,
  recordHash,
  splitStoredHashIndex,
  storedHashIndex,
} from './stored-hash.ts';
export { type ReadHashes, treeHash } from './tree-hash.ts';
