/*
 * run_corpus.c - feed each file of the folders named to a fuzz target: the corpora as ordinary
 * tests.
 *
 * Prints TAP, one test a folder. A finding is a crash or a sanitizer's stop, which leaves no "ok".
 */
#include <dirent.h>
#include <stdio.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (1u << 20) /* bytes of one file that are read */

static int
run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(INPUT_MAX), *exact;
	size_t size;

	if (!file || !bytes)
		return 1;
	size = fread(bytes, 1, INPUT_MAX, file);
	fclose(file);
	exact = malloc(size ? size : 1); /* one byte read too many is then seen */
	if (!exact)
		return 1;
	memcpy(exact, bytes, size);
	free(bytes);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

static int
run_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[4096];
	int files = 0, failed = 0;

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		failed += run_file(path);
		files++;
	}
	if (dir)
		closedir(dir);
	printf("%s - corpus %s, %d inputs\n", files > 0 && !failed ? "ok" : "not ok", folder,
		files);
	return files == 0 || failed;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed += run_folder(argv[i]);
	return failed != 0;
}
