/*
 * crc32c.h - the checksum of RFC 3720, appendix B.4 (Castagnoli), by instruction where there is one.
 */
#ifndef STORE_CRC32C_H
#define STORE_CRC32C_H

#include <stdint.h>

#include "proto/base/span.h"

/* Go on from CRC (0 at the start) over BYTES. */
uint32_t crc32c(uint32_t crc, struct span bytes);

/* The same by table; what crc32c() uses where the processor has no instruction. */
uint32_t crc32c_by_table(uint32_t crc, struct span bytes);

#endif
