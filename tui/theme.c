/*
 * theme.c - see theme.h.
 */
#include "tui/theme.h"

#include <stdlib.h>
#include <string.h>

enum { BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE, OWN = THEME_NONE };

static const struct theme themes[] = {
	{ "default", true, {
		[STYLE_PLAIN] = { OWN, OWN, 0 },
		[STYLE_TITLE] = { OWN, OWN, LOOK_BOLD },
		[STYLE_BAR] = { WHITE, BLUE, 0 },
		[STYLE_HERE] = { BLACK, CYAN, LOOK_BOLD },
		[STYLE_HEAD] = { CYAN, OWN, LOOK_BOLD },
		[STYLE_CURSOR] = { OWN, OWN, LOOK_REVERSE },
		[STYLE_MARKED] = { MAGENTA, OWN, LOOK_BOLD },
		[STYLE_ERROR] = { RED, OWN, LOOK_BOLD },
		[STYLE_WARNING] = { MAGENTA, OWN, 0 },
		[STYLE_OK] = { GREEN, OWN, 0 },
		[STYLE_DIM] = { OWN, OWN, LOOK_DIM },
		[STYLE_KEY] = { CYAN, OWN, 0 },
		[STYLE_CHANGED] = { MAGENTA, OWN, LOOK_BOLD },
		[STYLE_MATCH] = { BLACK, YELLOW, 0 },
		[STYLE_FIELD] = { OWN, OWN, LOOK_UNDERLINE } } },
	{ "contrast", true, {
		[STYLE_PLAIN] = { OWN, OWN, LOOK_BOLD },
		[STYLE_TITLE] = { OWN, OWN, LOOK_BOLD | LOOK_UNDERLINE },
		[STYLE_BAR] = { OWN, OWN, LOOK_REVERSE | LOOK_BOLD },
		[STYLE_HERE] = { OWN, OWN, LOOK_BOLD | LOOK_UNDERLINE },
		[STYLE_HEAD] = { OWN, OWN, LOOK_BOLD | LOOK_UNDERLINE },
		[STYLE_CURSOR] = { OWN, OWN, LOOK_REVERSE | LOOK_BOLD },
		[STYLE_MARKED] = { OWN, OWN, LOOK_BOLD | LOOK_UNDERLINE },
		[STYLE_ERROR] = { WHITE, RED, LOOK_BOLD },
		[STYLE_WARNING] = { BLACK, YELLOW, 0 },
		[STYLE_OK] = { OWN, OWN, LOOK_BOLD },
		[STYLE_DIM] = { OWN, OWN, 0 },
		[STYLE_KEY] = { OWN, OWN, LOOK_BOLD },
		[STYLE_CHANGED] = { OWN, OWN, LOOK_BOLD | LOOK_UNDERLINE },
		[STYLE_MATCH] = { BLACK, YELLOW, 0 },
		[STYLE_FIELD] = { OWN, OWN, LOOK_BOLD | LOOK_UNDERLINE } } },
	{ "cvd", true, {
		[STYLE_PLAIN] = { OWN, OWN, 0 },
		[STYLE_TITLE] = { OWN, OWN, LOOK_BOLD },
		[STYLE_BAR] = { WHITE, BLUE, 0 },
		[STYLE_HERE] = { BLACK, CYAN, LOOK_BOLD },
		[STYLE_HEAD] = { CYAN, OWN, LOOK_BOLD },
		[STYLE_CURSOR] = { OWN, OWN, LOOK_REVERSE },
		[STYLE_MARKED] = { OWN, OWN, LOOK_BOLD | LOOK_UNDERLINE },
		[STYLE_ERROR] = { BLACK, YELLOW, LOOK_BOLD },
		[STYLE_WARNING] = { OWN, OWN, LOOK_BOLD },
		[STYLE_OK] = { CYAN, OWN, 0 },
		[STYLE_DIM] = { OWN, OWN, LOOK_DIM },
		[STYLE_KEY] = { CYAN, OWN, 0 },
		[STYLE_CHANGED] = { OWN, OWN, LOOK_BOLD | LOOK_UNDERLINE },
		[STYLE_MATCH] = { BLACK, CYAN, 0 },
		[STYLE_FIELD] = { OWN, OWN, LOOK_UNDERLINE } } },
	{ "mono", false, {
		[STYLE_PLAIN] = { OWN, OWN, 0 },
		[STYLE_TITLE] = { OWN, OWN, LOOK_BOLD },
		[STYLE_BAR] = { OWN, OWN, LOOK_REVERSE },
		[STYLE_HERE] = { OWN, OWN, LOOK_BOLD },
		[STYLE_HEAD] = { OWN, OWN, LOOK_BOLD },
		[STYLE_CURSOR] = { OWN, OWN, LOOK_REVERSE },
		[STYLE_MARKED] = { OWN, OWN, LOOK_BOLD },
		[STYLE_ERROR] = { OWN, OWN, LOOK_BOLD },
		[STYLE_WARNING] = { OWN, OWN, LOOK_BOLD },
		[STYLE_OK] = { OWN, OWN, 0 },
		[STYLE_DIM] = { OWN, OWN, 0 },
		[STYLE_KEY] = { OWN, OWN, LOOK_BOLD },
		[STYLE_CHANGED] = { OWN, OWN, LOOK_BOLD },
		[STYLE_MATCH] = { OWN, OWN, LOOK_REVERSE },
		[STYLE_FIELD] = { OWN, OWN, LOOK_UNDERLINE } } },
};

const struct theme *
theme_find(const char *name)
{
	for (size_t i = 0; i < COUNT(themes); i++)
		if (strcmp(themes[i].name, name) == 0)
			return &themes[i];
	return NULL;
}

const struct theme *
theme_choose(const char *option)
{
	const struct theme *theme = option ? theme_find(option) : NULL;
	const char *no_colour = getenv("NO_COLOR");

	if (theme)
		return theme;
	return no_colour && no_colour[0] ? theme_find("mono") : &themes[0];
}

const char *
theme_names(void)
{
	return "default, contrast, cvd, mono";
}
