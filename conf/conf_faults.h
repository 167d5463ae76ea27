/*
 * conf_faults.h - what is wrong with a configuration text: all of it, each with line and column.
 */
#ifndef CONF_CONF_FAULTS_H
#define CONF_CONF_FAULTS_H

#include "conf/conf_types.h"
#include "conf/yaml_events.h"
#include "proto/base/arena.h"
#include "proto/base/buf.h"

struct conf_fault {
	unsigned line, column; /* from 1, in characters; 0 where no place is to blame */
	struct span key;       /* dotted, may be empty */
	struct span text;      /* "unknown key"; never holds a secret or a control character */
	bool is_warning;       /* odd but accepted */
};

/* The first CONF_FAULTS_MAX are kept in the order of the file, the rest is counted. */
struct conf_faults {
	struct arena arena;
	struct conf_fault items[CONF_FAULTS_MAX];
	size_t count;
	size_t errors;   /* of all, without the warnings */
	size_t left_off; /* faults that found no room */
};

void conf_faults_init(struct conf_faults *faults);
void conf_faults_fini(struct conf_faults *faults); /* may be used again */

/* Add one; the texts are copied, made printable and cut at CONF_FAULT_TEXT_MAX bytes. */
#define CONF_FAULT_TEXT_MAX 300
void conf_fault_add(struct conf_faults *faults, struct yaml_place at, struct span key,
	const char *format, ...) PRINTF_LIKE(4, 5);
void conf_warning_add(struct conf_faults *faults, struct yaml_place at, struct span key,
	const char *format, ...) PRINTF_LIKE(4, 5);
/* TEXT in A, cut at CONF_FAULT_TEXT_MAX bytes: nothing but ASCII that prints (H70). */
struct span conf_printable(struct arena *a, struct span text);
void conf_faults_sort(struct conf_faults *faults); /* into the order of the file */

/* "path:12:7: log.level: not one of error, warning, info, debug", without a line end. */
MUST_CHECK enum err conf_fault_put(
	const struct conf_fault *fault, const char *path, struct buf *out);

#endif
