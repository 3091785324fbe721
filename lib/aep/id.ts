// Ids as AEP gives them: what goes into a path later must be one, and nothing that climbs out of it.
import * as z from 'zod';

/** One part of a path: no separators, no percent signs, not empty, neither `.` nor `..`. */
export const Id = z.string().regex(/^(?!\.{1,2}$)[^/\\%?#\s]+$/, 'expected an id');

/** A `$id`: a URI, sent encoded. */
export const UriId = z
  .string()
  .regex(/^\S+$/, 'expected an id')
  .refine((id) => id !== '.' && id !== '..');
