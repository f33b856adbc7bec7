/** What is used of something, and what may be. */
export interface Room {
  /** Used and promised. */
  readonly used: number;
  /** Undefined when there is no limit. */
  readonly limit: number | undefined;
}

/** What a service tells of a quota. */
export interface RoomDetail {
  readonly in_use?: number;
  readonly used?: number;
  readonly reserved?: number;
  readonly limit: number;
}

/** Of a quota's detail, whichever service's: compute and volume say `in_use`, network says `used`; a limit below zero is none. */
export const roomOf = (detail: RoomDetail): Room => ({
  used: (detail.in_use ?? detail.used ?? 0) + (detail.reserved ?? 0),
  limit: detail.limit < 0 ? undefined : detail.limit,
});

/** Does it fit, nearly fill the room (more than nine tenths), or is it too much? */
export function fitOf(room: Room, adding: number): 'fits' | 'tight' | 'over' {
  if (room.limit === undefined) return 'fits';
  const after = room.used + adding;
  if (after > room.limit) return 'over';
  return after > room.limit * 0.9 ? 'tight' : 'fits';
}
