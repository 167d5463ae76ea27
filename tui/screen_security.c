/*
 * screen_security.c - message security: a second password for what shows mail or sends copies of it.
 */
#include "tui/screen_rows.h"

static const struct form_class security_password = {
	.title = "Password of message security",
	.fields = (const struct form_field[]){
		{ "Message security", "password", "Password", FORM_SECRET, NULL, "of message security, not your own; never shown" },
		{ 0 } },
};

const struct screen_class screen_security = {
	.name = "security",
	.title = "Message security",
	.panel = &text_panel,
	.method = "security.status",
	.keys = (const struct key_action[]){
		{ 'E', "Open", "security.open", .form = &security_password },
		{ 'C', "Close", "security.close" },
		{ 'P', "Switch on", "security.on", .form = &security_password },
		{ 'X', "Switch off", "security.off", .form = &security_password },
		{ 0 } },
	.help = "While it is on, what shows mail or sends copies of it asks for its password first, once in a session.",
};
