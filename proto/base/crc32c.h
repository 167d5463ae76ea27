/*
 * crc32c.h - the Castagnoli checksum (RFC 3720, B.4) of stored bytes.
 *
 * Uses the processor's instruction where it has one (SSE 4.2, ARMv8 CRC), a table elsewhere.
 */
#ifndef PROTO_BASE_CRC32C_H
#define PROTO_BASE_CRC32C_H

#include "proto/base/span.h"

/*
 * Go on with CRC over BYTES; start with 0. crc32c(crc32c(0, a), b) is the checksum of a and b in
 * one. crc32c(0, "123456789") is 0xe3069283.
 */
uint32_t crc32c(uint32_t crc, struct span bytes);

/* The same by table, whatever the processor: what the other is tested against. */
uint32_t crc32c_by_table(uint32_t crc, struct span bytes);

#endif
