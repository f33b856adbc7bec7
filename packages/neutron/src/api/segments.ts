import { segmentVerbs } from '../app/network-segments.ts';
import { segmentRangeVerbs } from '../app/segment-ranges.ts';
import { NETWORK_SEGMENT_RANGE, SEGMENT } from '../resources/segment.ts';
import { operationsOfKind } from './kinds.ts';

export const segmentOperations = [
  ...operationsOfKind(SEGMENT, segmentVerbs, 'a segment', 'segments of networks'),
  ...operationsOfKind(NETWORK_SEGMENT_RANGE, segmentRangeVerbs, 'a network segment range', 'network segment ranges'),
];
