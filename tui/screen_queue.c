/*
 * screen_queue.c - mail that waits to leave, and one message of it.
 */
#include "tui/screen_rows.h"

static const struct form_class redirect = {
	.title = "Redirect",
	.fields = (const struct form_field[]){
		{ "Redirect", "to", "To address", FORM_TEXT, NULL, "all open recipients become this address", .keyed = true },
		{ NULL, "route", "By route", FORM_TEXT, NULL, "or: send by this route", .keyed = true },
		{ 0 } },
};

#define QUEUE_KEYS \
	{ 'R', "Retry now", "queue.retry" }, \
	{ 'H', "Hold/release", "queue.hold", .other = { "state", "held", "queue.release" } }, \
	{ 'M', "Redirect", "queue.redirect", .form = &redirect }, \
	{ 'B', "Bounce", "queue.bounce" }, \
	{ 'd', "Remove", "queue.remove" }

const struct screen_class screen_queue = {
	.name = "queue",
	.title = "Queue",
	.digit = '2',
	.method = "queue.list",
	.columns = (const struct column[]){
		{ "ID", "id", 9 },
		{ "St", "state", 2, 0, COLUMN_LETTER },
		{ "Age", "age", 7, 5 },
		{ "Next", "next_try", 12, 7 },
		{ "Try", "tries", 3, 4 },
		{ "Size", "size", 6, 3 },
		{ "From", "sender", 20, 6, COLUMN_GROW },
		{ "To", "recipients", 22, 0, COLUMN_GROW },
		{ "Via", "route", 10, 1 },
		{ "Last reason", "last_error", 24, 2, COLUMN_GROW },
		{ 0 } },
	.keys = (const struct key_action[]){
		{ KEY_RETURN, "Message", .open = &screen_message },
		{ 'T', "Trace", .open = &screen_trace_steps },
		QUEUE_KEYS,
		{ 0 } },
	.detail = (const struct detail[]){
		{ "Subject", "subject" },
		{ "From", "sender" },
		{ "To", "recipients" },
		{ "By", "route" },
		{ "Last", "last_error" },
		{ 0 } },
	.help = "Waiting messages, the next due first. St: A active, D deferred, H held, B in the bin, x gone.",
};

static const struct screen_class *const message_tabs[] = { &screen_message, &screen_trace_steps,
	&screen_queue_header, &screen_queue_body, &screen_queue_parts, &screen_queue_raw, NULL };

#define QUEUE_TEXT(NAME, TITLE, PARTS) \
	{ .name = NAME, .title = TITLE, .panel = &text_panel, .method = "queue.message", \
		.subject = "id", .subject_field = "id", .parts = PARTS, .tabs = message_tabs }

const struct screen_class screen_queue_header = QUEUE_TEXT("header", "Headers", MESSAGE_FACTS | MESSAGE_HEADER);
const struct screen_class screen_queue_body = QUEUE_TEXT("body", "Body", MESSAGE_TEXT);
const struct screen_class screen_queue_parts = QUEUE_TEXT("parts", "Parts", MESSAGE_PARTS);
const struct screen_class screen_queue_raw = QUEUE_TEXT("raw", "Raw", MESSAGE_HEADER | MESSAGE_BODY);

const struct screen_class screen_message = {
	.name = "message",
	.title = "Message",
	.panel = &text_panel,
	.method = "queue.show",
	.subject = "id",
	.subject_field = "id",
	.keys = (const struct key_action[]){ QUEUE_KEYS, { 0 } },
	.tabs = message_tabs,
};

const struct screen_class screen_trace_steps = {
	.name = "steps",
	.title = "Trace",
	.panel = &text_panel,
	.method = "trace",
	.params = "\"steps\":true",
	.subject = "message",
	.subject_field = "id",
	.tabs = message_tabs,
};
