/*
 * conf_page.h - docs/settings.md, made from the rows.
 */
#ifndef CONF_CONF_PAGE_H
#define CONF_CONF_PAGE_H

#include "proto/base/buf.h"

/* The whole page in Markdown. ERR_LIMIT: OUT is full. */
MUST_CHECK enum err conf_page_put(struct buf *out);

#endif
