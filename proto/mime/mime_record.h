/*
 * mime_record.h - bits of the derived record that its writer and its reader share (mime_derived.h).
 */
#ifndef PROTO_MIME_MIME_RECORD_H
#define PROTO_MIME_MIME_RECORD_H

#define MIME_RECORD_SENT 0x01 /* in the flags: the date is there */
#define MIME_FIELD_OWN 0x80   /* in a field's number: its text is here */

/* The first byte of a part. */
#define MIME_PART_KIND 0x03
#define MIME_PART_ENCODING 0x1c
#define MIME_PART_ENCODING_SHIFT 2
#define MIME_PART_INNER 0x20
#define MIME_PART_ATTACHMENT 0x40

/* Around what BODYSTRUCTURE says and BODY does not, in the packed text; no reply has a NUL. */
#define MIME_EXTENSION_MARK '\0'

#endif
