// Checks ids from AEP before they become part of a path: an id must not lead out of it.
import * as z from 'zod';

/** One part of a path: no separators, no percent signs, not empty, neither `.` nor `..`. */
export const Id = z.string().regex(/^(?!\.{1,2}$)[^/\\%?#\s]+$/, 'expected an id');

/** A `$id`: a URI, sent encoded. */
export const UriId = z
  .string()
  .regex(/^\S+$/, 'expected an id')
  .refine((id) => id !== '.' && id !== '..');
